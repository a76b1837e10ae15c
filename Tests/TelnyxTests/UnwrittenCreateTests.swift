// SPDX-License-Identifier: Apache-2.0
// A create that the HTTP client refused to write was not sent: no credential can exist, and nothing is in doubt.

import Foundation
import Model
import Testing

@testable import Telnyx

@Suite struct UnwrittenCreateTests {
    @Test(arguments: ["KEY\nsecret", "KEY-secret\n", "KEY\u{0}secret", "KEY\rsecret", "KEY\u{7F}"])
    func `a create whose header cannot be written is not sent`(_ key: String) async throws {
        let made = "{\"data\":\(ScriptedClient.credential())}"
        try await ScriptedServer.with([.reply(201, made)]) { server, port in
            try await ScriptedClient.client("http://127.0.0.1:\(port)/v2", key: key) { client in
                let outcome = await client.create(ScriptedClient.request)
                guard case .notSent(let reason) = outcome else {
                    Issue.record("\(ScriptedClient.word(outcome))")
                    return
                }
                #expect(reason == "Invalid header field values", "the log names the cause and not the key")
            }
            #expect(server.seen.isEmpty)
        }
    }

    @Test(arguments: ["", "v2", "ftp://127.0.0.1/v2", "http:///v2", "https://:443/v2"])
    func `a create to a URL that cannot be called is not sent`(_ url: String) async throws {
        try await ScriptedClient.client(url) { client in
            #expect(ScriptedClient.word(await client.create(ScriptedClient.request)) == "notSent", "\(url)")
        }
    }

    /// The four connections are taken by calls without an answer, which have more time than the fifth.
    @Test func `a create that waits for a free connection in vain is not sent`() async throws {
        try await ScriptedClient.with([.silence], deadline: .seconds(20)) { client, server in
            var configuration = client.configuration
            configuration.deadline = .seconds(1)
            let hasty = TelnyxClient(configuration: configuration, http: client.http)
            await withTaskGroup(of: Void.self) { group in
                for _ in 1...4 { group.addTask { _ = await client.create(ScriptedClient.request) } }
                var taken = 0
                for await _ in server.arrivals {
                    taken += 1
                    if taken == 4 { break }
                }
                #expect(ScriptedClient.word(await hasty.create(ScriptedClient.request)) == "notSent")
                group.cancelAll()
            }
            #expect(server.seen.count == 4)
        }
    }

    @Test func `another call that could not be written says why, without the key`() async throws {
        try await ScriptedClient.client("http://127.0.0.1:1/v2", key: "KEY\nsecret") { client in
            let failure = await #expect(throws: TelnyxFailure.self) {
                _ = try await client.retrieve(ProviderID(rawValue: "c-1"))
            }
            #expect(failure.map { "\($0)" } == "provider: unavailable: Invalid header field values")
        }
    }
}
