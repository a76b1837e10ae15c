// SPDX-License-Identifier: Apache-2.0
// A key that was changed at the provider is used as soon as the operator has put it into its file.

import AsyncHTTPClient
import Foundation
import Model
import Testing

@testable import Telnyx

@Suite struct RenewedKeyTests {
    /// Lends a client whose key is `old`, and `renewed` after a refusal if that is not nil.
    private static func with(
        _ steps: [ScriptedServer.Step], renewed: String?,
        _ work: (TelnyxClient, ScriptedServer) async throws -> Void
    ) async throws {
        try await ScriptedServer.with(steps) { server, port in
            let http = HTTPClient(configuration: TelnyxClient.httpConfiguration(concurrency: 4, deadline: .seconds(30)))
            var configuration = TelnyxClient.Configuration(
                baseURL: "http://127.0.0.1:\(port)/v2", apiKey: Secret("unused"), deadline: .seconds(30))
            configuration.currentKey = { Secret("old") }
            configuration.renewedKey = { refused in refused.reveal() == "old" ? renewed.map { Secret($0) } : nil }
            let outcome: Result<Void, any Error>
            do {
                outcome = .success(try await work(TelnyxClient(configuration: configuration, http: http), server))
            } catch {
                outcome = .failure(error)
            }
            try await http.shutdown()
            try outcome.get()
        }
    }

    private static func keys(_ server: ScriptedServer) -> [String] {
        server.seen.map { seen in
            seen.head.firstMatch(of: /[Aa]uthorization: Bearer (\w+)/).map { String($0.output.1) } ?? "none"
        }
    }

    @Test func `a create that was refused for its key is sent again with the new key`() async throws {
        let made = ScriptedServer.Step.reply(201, "{\"data\":\(ScriptedClient.credential())}")
        try await Self.with([.reply(401), made], renewed: "new") { client, server in
            let outcome = await client.create(ScriptedClient.request)
            #expect(ScriptedClient.word(outcome) == "created")
            #expect(Self.keys(server) == ["old", "new"])
        }
    }

    @Test func `a call that is refused with the new key too is refused, and sent no third time`() async throws {
        try await Self.with([.reply(401)], renewed: "new") { client, server in
            let outcome = await client.create(ScriptedClient.request)
            #expect(ScriptedClient.word(outcome) == "unauthorised account")
            #expect(Self.keys(server) == ["old", "new"])
        }
    }

    @Test func `without another key a refused call is sent once`() async throws {
        try await Self.with([.reply(401)], renewed: nil) { client, server in
            let outcome = await client.create(ScriptedClient.request)
            #expect(ScriptedClient.word(outcome) == "unauthorised account")
            #expect(Self.keys(server) == ["old"])
        }
    }
}
