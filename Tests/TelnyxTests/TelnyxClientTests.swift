// SPDX-License-Identifier: Apache-2.0
// The client sorts every response of the provider, byte for byte: created, refused, not sent, or in doubt.

import AsyncHTTPClient
import Foundation
import Model
import NIOCore
import Testing

@testable import Telnyx

@Suite struct TelnyxClientTests {
    static let request = CreateRequest(connectionID: "1000000001", name: "dt-name", tag: "acme", expiresAt: nil)
    static let now = Date(timeIntervalSince1970: 1_800_000_000)

    static func credential(_ name: String = "dt-name", id: String = "c-1") -> String {
        """
        {"id":"\(id)","name":"\(name)","sip_username":"gencred1","sip_password":"hush","expired":false,\
        "created_at":"2020-06-18T21:32:38","expires_at":"2020-06-18 21:32:38.5Z",\
        "updated_at":"2020-06-18T21:32:38.000Z","signing_secret":"extra","nested":{"a":[1]}}
        """
    }

    static func with(
        _ steps: [ScriptedServer.Step], deadline: Duration = .seconds(5), cap: Int = 1 << 20, scheme: String = "http",
        greeting: String? = nil, _ work: (TelnyxClient, ScriptedServer) async throws -> Void
    ) async throws {
        try await ScriptedServer.with(steps, greeting: greeting) { server, port in
            try await Self.client("\(scheme)://127.0.0.1:\(port)/v2", deadline, cap) { try await work($0, server) }
        }
    }

    static func client(
        _ url: String, _ deadline: Duration = .seconds(5), _ cap: Int = 1 << 20,
        _ work: (TelnyxClient) async throws -> Void
    ) async throws {
        let http = HTTPClient(configuration: TelnyxClient.httpConfiguration(concurrency: 4, deadline: deadline))
        var configuration = TelnyxClient.Configuration(baseURL: url, apiKey: Secret("KEY-secret"), deadline: deadline)
        configuration.maximumAnswer = cap
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await work(TelnyxClient(configuration: configuration, http: http) { Self.now }))
        } catch {
            outcome = .failure(error)
        }
        try await http.shutdown()
        try outcome.get()
    }

    /// Returns the outcome in a word, so that tables can be compared.
    static func word(_ outcome: CreateOutcome) -> String {
        switch outcome {
        case .created: "created"
        case .notSent: "notSent"
        case .rateLimited(let wait, _): "rateLimited \(wait.components.seconds)"
        case .unauthorised(let scope, _): "unauthorised \(scope)"
        case .rejected(let status, _, _): "rejected \(status)"
        case .inDoubt: "inDoubt"
        }
    }

    @Test func `a created credential is read leniently and shows no secret`() async throws {
        let body = "{\"data\":\(Self.credential()),\"extra\":1}"
        try await Self.with([.reply(201, body, ["x-request-id: req-1"])]) { client, server in
            let outcome = await client.create(Self.request)
            guard case .created(let made, let trace) = outcome else {
                Issue.record("\(Self.word(outcome))")
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
            .reply(201, "{\"data\":\(Self.credential("another"))}"),
            .sayAndClose("HTTP/1.1 201 Created\r\ncontent-length: 500\r\n\r\n{\"data\":"),
            .sayAndClose("HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"dat"),
            .sayAndClose(""), .sayAndClose("HTTP/1.1 201 Cre"), .sayAndClose("nonsense\r\n\r\n"),
            .reply(200, "{\"data\":\(Self.credential())}"), .reply(202), .reply(204),
            .reply(301, "", ["location: /v2/elsewhere"]), .reply(307, "", ["location: /v2/elsewhere"]),
            .reply(308, "", ["location: /v2/elsewhere"]),
        ] + [402, 405, 408, 409, 410, 425, 500, 501, 502, 503, 504, 599].map { .reply($0, "<html>oops</html>") }

    @Test func `an unclear response to a create is doubt, and the create is sent only once`() async throws {
        for step in Self.doubtful {
            try await Self.with([step]) { client, server in
                let outcome = await client.create(Self.request)
                #expect(Self.word(outcome) == "inDoubt", "\(step)")
                #expect(server.seen.count == 1, "\(step)")
            }
        }
    }

    @Test func `a response past the deadline or over the size limit is doubt`() async throws {
        try await Self.with([.silence], deadline: .milliseconds(200)) { client, server in
            #expect(Self.word(await client.create(Self.request)) == "inDoubt")
            #expect(server.seen.count == 1)
        }
        // The head arrives in time, the body does not.
        let half = "HTTP/1.1 201 Created\r\ncontent-length: 500\r\n\r\n{"
        try await Self.with([.say(half)], deadline: .milliseconds(200)) { client, _ in
            #expect(Self.word(await client.create(Self.request)) == "inDoubt")
        }
        try await Self.with([.reply(201, "{\"data\":\(Self.credential())}")], cap: 50) { client, _ in
            #expect(Self.word(await client.create(Self.request)) == "inDoubt")
        }
    }

    @Test func `a cancelled create is doubt`() async throws {
        try await Self.with([.silence]) { client, server in
            let outcome = await withTaskGroup(of: CreateOutcome.self) { group in
                group.addTask { await client.create(Self.request) }
                for await _ in server.arrivals { break }
                group.cancelAll()
                return await group.next()
            }
            #expect(outcome.map(Self.word) == "inDoubt")
        }
    }

    @Test func `a create that gets no connection counts as not sent`() async throws {
        // Nothing listens on port 1 of the local host.
        try await Self.client("http://127.0.0.1:1/v2") { client in
            #expect(Self.word(await client.create(Self.request)) == "notSent")
        }
        try await Self.client("http://nobody.invalid/v2") { client in
            #expect(Self.word(await client.create(Self.request)) == "notSent")
        }
    }

    @Test func `a failed TLS handshake sends no request`() async throws {
        try await Self.with([.silence], scheme: "https", greeting: "this is no TLS\r\n\r\n") { client, server in
            #expect(["notSent", "inDoubt"].contains(Self.word(await client.create(Self.request))))
            #expect(server.seen.isEmpty)
        }
    }

    @Test func `a rejection keeps the provider's words, shortened and without control characters`() async throws {
        let long = String(repeating: "x", count: 5000)
        let bodies: [(String, ProviderWords)] = [
            (
                "{\"errors\":[{\"code\":\"10015\",\"title\":\"Bad\",\"detail\":\"tag\\n\\u0007is full\"}]}",
                ProviderWords(code: "10015", text: "Bad: tagis full")
            ),
            ("{\"errors\":[{\"code\":\"10027\"}]}", ProviderWords(code: "10027", text: nil)),
            ("{\"errors\":[{\"code\":10027,\"title\":\"T\"}]}", ProviderWords(code: "10027", text: "T")),
            ("{\"errors\":{\"status\":\"is expired\"}}", ProviderWords(code: nil, text: "status is expired")),
            ("{\"errors\":[]}", ProviderWords()), ("{\"errors\":[1]}", ProviderWords()), ("", ProviderWords()),
            ("<html>no</html>", ProviderWords()), ("[]", ProviderWords()), ("{\"errors\":null}", ProviderWords()),
            (
                "{\"errors\":[{\"code\":\"\(long)\",\"title\":\"\(long)\"}]}",
                ProviderWords(code: String(long.prefix(40)), text: String(long.prefix(300)))
            ),
        ]
        for status in [400, 404, 422] {
            for (body, expected) in bodies {
                try await Self.with([.reply(status, body)]) { client, server in
                    let outcome = await client.create(Self.request)
                    guard case .rejected(status, let words, _) = outcome else {
                        Issue.record("\(status) \(body.prefix(40)) is \(Self.word(outcome))")
                        return
                    }
                    #expect(words == expected)
                    #expect(server.seen.count == 1)
                }
            }
        }
    }

    @Test func `a 401 concerns the whole account and a 403 the connection`() async throws {
        try await Self.with([.reply(401, "{}"), .reply(403)]) { client, _ in
            #expect(Self.word(await client.create(Self.request)) == "unauthorised account")
            #expect(Self.word(await client.create(Self.request)) == "unauthorised connection")
        }
    }

    @Test func `a rate limit's wait is read in every unit and kept within 1 to 900 seconds`() async throws {
        let epoch = Int(Self.now.timeIntervalSince1970)
        let cases: [([String], Int)] = [
            (["retry-after: 7"], 7), (["retry-after-ms: 3000"], 3), (["x-ratelimit-reset: 12"], 12),
            (["x-ratelimit-reset: \(epoch + 30)"], 30), (["x-ratelimit-reset: \((epoch + 40) * 1000)"], 40),
            (["x-ratelimit-reset: \(epoch - 30)"], 1), (["x-ratelimit-reset: -5"], 1), (["x-ratelimit-reset: soon"], 1),
            (["retry-after: nan"], 1), (["retry-after: inf"], 1), (["retry-after: 1e300"], 900),
            (["retry-after: 99999"], 900), (["retry-after: 0"], 1),
            (["retry-after: Fri, 15 Jan 2027 08:01:00 GMT"], 60),
            (["retry-after: Fri, 15 Jan 2027 07:00:00 GMT"], 1), ([], 1),
            (["retry-after: garbage", "x-ratelimit-reset: 12"], 12), (["retry-after: 5", "x-ratelimit-reset: 12"], 5),
        ]
        try await Self.with(cases.map { .reply(429, "", $0.0) }) { client, server in
            for (headers, seconds) in cases {
                let outcome = await client.create(Self.request)
                #expect(Self.word(outcome) == "rateLimited \(seconds)", "\(headers)")
            }
            #expect(server.seen.count == cases.count)
        }
    }

    @Test func `consecutive calls share one connection`() async throws {
        try await Self.with([.reply(201, "{\"data\":\(Self.credential())}")]) { client, server in
            for _ in 0..<5 { #expect(Self.word(await client.create(Self.request)) == "created") }
            #expect(Set(server.seen.map(\.connection)).count == 1)
        }
    }

    @Test func `a list reads every page with encoded filters, and one failed page fails it`() async throws {
        func page(_ id: String) -> ScriptedServer.Step {
            .reply(200, "{\"data\":[\(Self.credential("n", id: id))],\"meta\":{\"total_pages\":3,\"total_results\":3}}")
        }
        try await Self.with([page("a"), page("b"), page("c")]) { client, server in
            let all = try await client.listAll(ListQuery(name: "a b&c=é+%", tag: "t", pageSize: 1))
            #expect(all.map(\.id.rawValue) == ["a", "b", "c"] && server.seen.count == 3)
            let filters = "filter%5Bname%5D=a%20b%26c%3D%C3%A9%2B%25&filter%5Btag%5D=t"
            for (place, seen) in server.seen.enumerated() {
                let line = "GET /v2/telephony_credentials?\(filters)&page%5Bnumber%5D=\(place + 1)&page%5Bsize%5D=1 "
                #expect(seen.line.hasPrefix(line))
            }
        }
        // One failed page fails the whole list, because half a list proves nothing.
        try await Self.with([page("a"), .reply(500)]) { client, _ in
            let failure = await #expect(throws: TelnyxFailure.self) { _ = try await client.listAll(ListQuery()) }
            #expect(failure?.kind == .unavailable)
        }
    }

    /// The vendor's schema guarantees no field. One odd element must not hide the other elements of its page.
    @Test func `an element with odd members does not hide the rest of its page`() async throws {
        let odd = "{\"id\":\"odd\",\"name\":7,\"sip_username\":null,\"expired\":\"no\",\"created_at\":{}}"
        let body =
            "{\"data\":[\(odd),\(Self.credential("n", id: "a"))],\"meta\":{\"total_pages\":1,\"total_results\":2}}"
        try await Self.with([.reply(200, body)]) { client, _ in
            let all = try await client.listAll(ListQuery(tag: "t"))
            #expect(all.map(\.id.rawValue) == ["odd", "a"])
            #expect(all[0].sipUsername == nil && all[0].name == nil && !all[0].expired && all[1].sipUsername != nil)
        }
        // An element without an id could be one of ours, so its page proves nothing.
        try await Self.with([.reply(200, "{\"data\":[{\"name\":\"n\"}]}")]) { client, _ in
            let failure = await #expect(throws: TelnyxFailure.self) {
                _ = try await client.listAll(ListQuery(tag: "t"))
            }
            #expect(failure?.kind == .unreadable)
        }
    }

    @Test func `a failed call reports its kind and shows no secret`() async throws {
        let kinds: [(Int, TelnyxFailure.Kind)] = [
            (404, .notFound), (401, .refused), (403, .refused), (429, .rateLimited), (400, .rejected), (422, .rejected),
            (500, .unavailable), (302, .unavailable), (204, .unavailable), (200, .unreadable),
        ]
        for (status, kind) in kinds {
            try await Self.with([.reply(status, "{\"sip_password\":\"hush\"}")]) { client, server in
                let failure = await #expect(throws: TelnyxFailure.self) {
                    _ = try await client.retrieve(ProviderID(rawValue: "a/b"))
                }
                #expect(failure?.kind == kind)
                #expect(failure.map { !"\($0)".contains("hush") && !"\($0)".contains("KEY-") } == true)
                #expect(server.seen.count == 1 && server.seen[0].line.contains("/telephony_credentials/a%2Fb "))
            }
        }
    }

    @Test func `a login token may have quotes and a newline, and nothing else passes for one`() async throws {
        let claims = Data("{\"exp\":1900000000,\"typ\":\"access\"}".utf8).base64EncodedString().replacing("=", with: "")
        let token = "eyJh.\(claims).c2ln"
        try await Self.with([.reply(201, token), .reply(201, "\"\(token)\"\n"), .reply(201, "\(token)\r\n")]) {
            client, server in
            for _ in 0..<3 {
                let read = try await client.token(ProviderID(rawValue: "c-1"))
                #expect(read.token.reveal() == token && read.expiresAt == Date(timeIntervalSince1970: 1_900_000_000))
                #expect(!"\(read)".contains(claims))
            }
            #expect(server.seen[0].head.lowercased().contains("accept: text/plain"))
            #expect(server.seen.allSatisfy { $0.body.isEmpty })
        }
        for bad in ["", "no token", "a.b", "a.b.c", "..", "a..c", "{\"data\":\"x\"}", "a.\(claims).c.d"] {
            try await Self.with([.reply(201, bad)]) { client, _ in
                let failure = await #expect(throws: TelnyxFailure.self) {
                    _ = try await client.token(ProviderID(rawValue: "c-1"))
                }
                #expect(failure?.kind == .unreadable, "\(bad)")
            }
        }
    }
}
