// SPDX-License-Identifier: Apache-2.0
// The client sorts every response to a create: created, not sent, or in doubt.

import Foundation
import Model
import Testing

@testable import Telnyx

@Suite struct CreateTests {
    @Test func `a created credential is read leniently and shows no secret`() async throws {
        let body = "{\"data\":\(ScriptedClient.credential()),\"extra\":1}"
        try await ScriptedClient.with([.reply(201, body, ["x-request-id: req-1"])]) { client, server in
            let outcome = await client.create(ScriptedClient.request)
            guard case .created(let made, let trace) = outcome else {
                Issue.record("\(ScriptedClient.word(outcome))")
                return
            }
            let date = Date(timeIntervalSince1970: 1_592_515_958)
            #expect(made.createdAt == date && made.updatedAt == date)
            #expect(made.expiresAt == date.addingTimeInterval(0.5))
            #expect(made.sipPassword?.reveal() == "hush" && made.id.rawValue == "c-1")
            #expect(!"\(made)".contains("hush") && !"\(made)".contains("extra"))
            #expect(trace == ProviderTrace(httpStatus: 201, requestID: "req-1"))
            let seen = try #require(server.seen.first)
            #expect(seen.line.hasPrefix("POST /v2/telephony_credentials HTTP/1.1"))
            #expect(seen.head.contains("Bearer KEY-secret"))
            let sent = try JSONDecoder().decode([String: String].self, from: Data(seen.body.utf8))
            #expect(sent == ["connection_id": "1000000001", "name": "dt-name", "tag": "acme"])
        }
    }

    static let doubtful: [ScriptedServer.Step] =
        [
            .reply(201, "{\"data\":{\"id\":1}}"), .reply(201, ""), .reply(201, "<html>"), .reply(201, "[]"),
            .reply(201, "{\"data\":\(ScriptedClient.credential("another"))}"),
            .sayAndClose("HTTP/1.1 201 Created\r\ncontent-length: 500\r\n\r\n{\"data\":"),
            .sayAndClose("HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"dat"),
            .sayAndClose(""), .sayAndClose("HTTP/1.1 201 Cre"), .sayAndClose("nonsense\r\n\r\n"),
            .reply(200, "{\"data\":\(ScriptedClient.credential())}"), .reply(202), .reply(204),
            .reply(301, "", ["location: /v2/elsewhere"]), .reply(307, "", ["location: /v2/elsewhere"]),
            .reply(308, "", ["location: /v2/elsewhere"]),
        ] + [402, 405, 408, 409, 410, 425, 500, 501, 502, 503, 504, 599].map { .reply($0, "<html>oops</html>") }

    @Test func `an unclear response to a create is doubt, and the create is sent only once`() async throws {
        for step in Self.doubtful {
            try await ScriptedClient.with([step]) { client, server in
                let outcome = await client.create(ScriptedClient.request)
                #expect(ScriptedClient.word(outcome) == "inDoubt", "\(step)")
                #expect(server.seen.count == 1, "\(step)")
            }
        }
    }

    @Test func `a response past the deadline or over the size limit is doubt`() async throws {
        try await ScriptedClient.with([.silence], deadline: .milliseconds(200)) { client, server in
            #expect(ScriptedClient.word(await client.create(ScriptedClient.request)) == "inDoubt")
            #expect(server.seen.count == 1)
        }
        // The head arrives in time, the body does not.
        let half = "HTTP/1.1 201 Created\r\ncontent-length: 500\r\n\r\n{"
        try await ScriptedClient.with([.say(half)], deadline: .milliseconds(200)) { client, _ in
            #expect(ScriptedClient.word(await client.create(ScriptedClient.request)) == "inDoubt")
        }
        let whole = "{\"data\":\(ScriptedClient.credential())}"
        try await ScriptedClient.with([.reply(201, whole)], cap: 50) { client, _ in
            #expect(ScriptedClient.word(await client.create(ScriptedClient.request)) == "inDoubt")
        }
    }

    @Test func `a cancelled create is doubt`() async throws {
        try await ScriptedClient.with([.silence]) { client, server in
            let outcome = await withTaskGroup(of: CreateOutcome.self) { group in
                group.addTask { await client.create(ScriptedClient.request) }
                for await _ in server.arrivals { break }
                group.cancelAll()
                return await group.next()
            }
            #expect(outcome.map(ScriptedClient.word) == "inDoubt")
        }
    }

    @Test func `a create that gets no connection counts as not sent`() async throws {
        // Nothing listens on port 1 of the local host.
        try await ScriptedClient.client("http://127.0.0.1:1/v2") { client in
            #expect(ScriptedClient.word(await client.create(ScriptedClient.request)) == "notSent")
        }
        try await ScriptedClient.client("http://nobody.invalid/v2") { client in
            #expect(ScriptedClient.word(await client.create(ScriptedClient.request)) == "notSent")
        }
    }

    @Test func `a failed TLS handshake sends no request`() async throws {
        let greeting = "this is no TLS\r\n\r\n"
        try await ScriptedClient.with([.silence], scheme: "https", greeting: greeting) { client, server in
            #expect(ScriptedClient.word(await client.create(ScriptedClient.request)) == "notSent")
            #expect(server.seen.isEmpty)
        }
    }

    @Test func `consecutive calls share one connection`() async throws {
        try await ScriptedClient.with([.reply(201, "{\"data\":\(ScriptedClient.credential())}")]) { client, server in
            for _ in 0..<5 { #expect(ScriptedClient.word(await client.create(ScriptedClient.request)) == "created") }
            #expect(Set(server.seen.map(\.connection)).count == 1)
        }
    }
}
