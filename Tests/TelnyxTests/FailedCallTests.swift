// SPDX-License-Identifier: Apache-2.0
// A failed call says what went wrong, and shows no secret.

import Foundation
import Model
import Testing

@testable import Telnyx

@Suite struct FailedCallTests {
    @Test func `a failed call reports its kind and shows no secret`() async throws {
        let kinds: [(Int, TelnyxFailure.Kind)] = [
            (404, .notFound), (401, .refused), (403, .refused), (429, .rateLimited), (400, .rejected), (422, .rejected),
            (500, .unavailable), (302, .unavailable), (204, .unavailable), (200, .unreadable),
        ]
        for (status, kind) in kinds {
            try await ScriptedClient.with([.reply(status, "{\"sip_password\":\"hush\"}")]) { client, server in
                let failure = await #expect(throws: TelnyxFailure.self) {
                    _ = try await client.retrieve(ProviderID(rawValue: "a/b"))
                }
                #expect(failure?.kind == kind)
                #expect(failure.map { !"\($0)".contains("hush") && !"\($0)".contains("KEY-") } == true)
                #expect(server.seen.count == 1 && server.seen[0].line.contains("/telephony_credentials/a%2Fb "))
            }
        }
    }

    /// A date is read by the client's own time: `ScriptedClient.now` is 08:00:00.
    @Test(arguments: [
        ("retry-after: 7", 7), ("retry-after: Fri, 15 Jan 2027 08:02:00 GMT", 120),
        ("retry-after: Fri, 15 Jan 2027 07:00:00 GMT", 1), ("x-ratelimit-reset: 30", 30), ("retry-after: soon", 1),
        ("x-other: 5", 1),
    ])
    func `each call that meets a 429 says how long to wait`(header: String, seconds: Int) async throws {
        let id = ProviderID(rawValue: "c-1")
        let calls: [(name: String, call: (TelnyxClient) async throws -> Void)] = [
            ("list", { _ = try await $0.list(ListQuery(), page: 1) }), ("retrieve", { _ = try await $0.retrieve(id) }),
            ("delete", { _ = try await $0.delete(id) }), ("token", { _ = try await $0.token(id) }),
        ]
        try await ScriptedClient.with([.reply(429, "", [header])]) { client, server in
            for (name, call) in calls {
                let failure = await #expect(throws: TelnyxFailure.self) { try await call(client) }
                #expect(failure?.kind == .rateLimited && failure?.retryAfter == .seconds(seconds), "\(name)")
            }
            #expect(server.seen.count == calls.count)
        }
    }
}
