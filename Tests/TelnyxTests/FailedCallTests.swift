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
}
