// SPDX-License-Identifier: Apache-2.0
// A login token is read from a plain body, and nothing else passes for one.

import Foundation
import Model
import Testing

@testable import Telnyx

@Suite struct LoginTokenTests {
    @Test func `a login token may have quotes and a newline, and nothing else passes for one`() async throws {
        let claims = Data("{\"exp\":1900000000,\"typ\":\"access\"}".utf8).base64EncodedString().replacing("=", with: "")
        let token = "eyJh.\(claims).c2ln"
        let replies = [token, "\"\(token)\"\n", "\(token)\r\n"].map { ScriptedServer.Step.reply(201, $0) }
        try await ScriptedClient.with(replies) { client, server in
            for _ in 0..<3 {
                let read = try await client.token(ProviderID(rawValue: "c-1"))
                #expect(read.token.reveal() == token && read.expiresAt == Date(timeIntervalSince1970: 1_900_000_000))
                #expect(!"\(read)".contains(claims))
            }
            #expect(server.seen[0].head.lowercased().contains("accept: text/plain"))
            #expect(server.seen.allSatisfy { $0.body.isEmpty })
        }
        for bad in ["", "no token", "a.b", "a.b.c", "..", "a..c", "{\"data\":\"x\"}", "a.\(claims).c.d"] {
            try await ScriptedClient.with([.reply(201, bad)]) { client, _ in
                let failure = await #expect(throws: TelnyxFailure.self) {
                    _ = try await client.token(ProviderID(rawValue: "c-1"))
                }
                #expect(failure?.kind == .unreadable, "\(bad)")
            }
        }
    }
}
