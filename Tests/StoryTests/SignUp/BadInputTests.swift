// SPDX-License-Identifier: Apache-2.0
// Everything a caller can get wrong over HTTP: each is named in a problem body, stores nothing and is never a 500.

import AsyncHTTPClient
import Composition
import Foundation
import Intake
import Model
import NIOCore
import NIOHTTP1
import Postgres
import TestSupport
import Testing

@Suite struct BadInputTests {
    private struct Ask {
        var name: String
        var method: HTTPMethod = .POST
        var path: String
        var headers: HTTPHeaders = [:]
        var body = ""
        var status: Int
        /// What the detail must name.
        var names = ""
    }

    private struct Problem: Decodable {
        var type: String
        var title: String
        var status: Int
        var detail: String
        var code: String
        var request_id: String
    }

    @Test func everyBadRequestIsNamedAndStoresNothing() async throws {
        try await Story.with { story in
            for ask in try Self.hooks(story) + Self.tokens(story) + Self.users(story) {
                let (answer, body) = try await story.answer(ask.method, ask.path, ask.headers, Array(ask.body.utf8))
                #expect(Int(answer.status.code) == ask.status, "\(ask.name): \(answer.status) \(body)")
                #expect(answer.headers.first(name: "content-type") == "application/problem+json", "\(ask.name)")
                let problem = try #require(
                    try? JSONDecoder().decode(Problem.self, from: Data(body.utf8)), "\(ask.name): \(body)")
                #expect(problem.type == "about:blank" && !problem.title.isEmpty && problem.status == ask.status)
                #expect(!problem.code.isEmpty && problem.request_id == answer.headers.first(name: "x-request-id"))
                #expect(
                    ask.names.isEmpty || problem.detail.contains(ask.names), "\(ask.name): \(problem.detail)")
                for secret in [story.secret, story.key, "hunter2"] { #expect(!body.contains(secret), "\(ask.name)") }
            }
            for table in ["events", "users", "jobs", "credentials"] {
                #expect(try await story.database.admin.query("select 1 from dialtone.\(unsafeText: table)").isEmpty)
            }
        }
    }

    private static func hooks(_ story: Story) throws -> [Ask] {
        let path = story.hookPath
        func event(_ user: String, _ rest: String = "") -> String {
            "{\"type\":\"user.created\",\"data\":{\"user_id\":\(user)\(rest)}}"
        }
        let deep = String(repeating: "[", count: 40) + String(repeating: "]", count: 40)
        let bodies: [(String, String)] = [
            ("", "body"), ("{", "body"), ("nonsense", "body"), ("[]", "body"), ("{} {}", "body"),
            ("{\"type\":\"a\",\"type\":\"b\"}", "twice"), ("{\"type\":\(deep)}", "deep"), ("{}", "type"),
            ("{\"type\":1}", "type"), ("{\"type\":\"\"}", "type"), ("{\"type\":\"user.created\"}", "data"),
            ("{\"type\":\"user.created\",\"data\":[]}", "data"), (event("1"), "user_id"), (event("\"\""), "user_id"),
            (event("null"), "user_id"), (event("\"a\\u0007\""), "user_id"), (event("\"a\\u0000\""), "body"),
            (event("\"\(String(repeating: "x", count: 256))\""), "user_id"),
            (event("\"u\"", ",\"tenant_id\":7"), "tenant_id"), (event("\"u\"", ",\"tenant_id\":\"No Slug\""), "tenant"),
            (event("\"u\"", ",\"tenant_id\":\"globex\""), "tenant_id"),
            ("{\"timestamp\":\"x\",\(event("\"u\"").dropFirst())", "timestamp"),
            ("{\"timestamp\":1,\(event("\"u\"").dropFirst())", "timestamp"),
            ("{\"timestamp\":\"2099-01-01T00:00:00Z\",\(event("\"u\"").dropFirst())", "timestamp"),
        ]
        var asks = try bodies.map { body, names in
            // What is not JSON at all is a 400; what does not say what it must, a 422.
            let status = ["body", "twice", "deep"].contains(names) ? 400 : 422
            return Ask(
                name: body, path: path, headers: try story.signed(body), body: body, status: status, names: names)
        }
        let good = event("\"u\"")
        let now = Date()
        func unproven(_ name: String, _ names: String, _ change: (inout HTTPHeaders) -> Void) throws {
            var headers = try story.signed(good)
            change(&headers)
            asks.append(Ask(name: name, path: path, headers: headers, body: good, status: 401, names: names))
        }
        for header in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
            try unproven("no \(header)", "\(header) is missing") { $0.remove(name: header) }
            try unproven("two \(header)", header) { $0.add(name: header, value: $0.first(name: header) ?? "") }
            try unproven("empty \(header)", header) { $0.replaceOrAdd(name: header, value: "") }
            try unproven("long \(header)", header) {
                $0.replaceOrAdd(name: header, value: String(repeating: "1", count: 5000))
            }
        }
        try unproven("foreign signature", "webhook-signature") {
            $0.replaceOrAdd(
                name: "webhook-signature", value: "v1,\(Data(repeating: 1, count: 32).base64EncodedString())")
        }
        for (age, names) in [(-301.0, "old"), (600.0, "ahead")] {
            let headers = try story.signed(good, at: now.addingTimeInterval(age))
            asks.append(Ask(name: names, path: path, headers: headers, body: good, status: 401, names: names))
        }
        asks.append(Ask(name: "foreign hook", path: "/v1/hooks/hk_no", headers: try story.signed(good), status: 404))
        asks.append(
            Ask(name: "gzip", path: path, headers: ["content-encoding": "gzip"], status: 415, names: "Encoding"))
        for method in [HTTPMethod.GET, .PUT, .PATCH, .DELETE] {
            asks.append(Ask(name: "\(method) hook", method: method, path: path, status: 405, names: "method"))
        }
        for other in ["/", "/v1", "/v1/hooks", "/v1/hooks/a/b", "/nowhere", "/v1/hooks/%00"] {
            asks.append(Ask(name: other, path: other, status: 404))
        }
        return asks
    }

    private static func tokens(_ story: Story) -> [Ask] {
        let path = "/v1/login-tokens"
        let key: HTTPHeaders = ["authorization": "Bearer \(story.key)"]
        let foreign = String(story.key.dropLast()) + (story.key.hasSuffix("0") ? "1" : "0")
        let tooDeep = "{\"user_id\":" + String(repeating: "[", count: 900) + String(repeating: "]", count: 900) + "}"
        let bodies: [(String, Int, String)] = [
            ("", 400, "JSON"), ("[]", 400, "JSON"), ("{", 400, "JSON"), ("{\"user\":\"u\"}", 400, "user_id"),
            ("{\"user_id\":\"a\",\"user_id\":\"b\"}", 400, "twice"), (tooDeep, 400, "deep"),
            ("{}", 422, "user_id"), ("{\"user_id\":1}", 422, "user_id"), ("{\"user_id\":null}", 422, "user_id"),
            ("{\"user_id\":\"\"}", 422, "user_id"), ("{\"user_id\":\"a\\u0007\"}", 422, "user_id"),
            ("{\"user_id\":\"\(String(repeating: "x", count: 256))\"}", 422, "user_id"),
            ("{\"user_id\":\"u\",\"tenant\":1}", 422, "tenant"),
            ("{\"user_id\":\"u\",\"tenant\":\"A B\"}", 422, "tenant"),
            ("{\"user_id\":\"u\",\"tenant\":\"globex\"}", 404, "user"), ("{\"user_id\":\"nobody\"}", 404, "user"),
            (String(repeating: " ", count: 5000), 413, "4096"),
        ]
        var asks = bodies.map { body, status, names in
            Ask(name: body, path: path, headers: key, body: body, status: status, names: names)
        }
        for wait in ["wait=", "wait=x", "wait=-1", "wait=99999999999999999999", "=,;=wait", "respond-async, wait=0"] {
            let headers: HTTPHeaders = ["authorization": "Bearer \(story.key)", "prefer": wait]
            asks.append(Ask(name: wait, path: path, headers: headers, body: "{\"user_id\":\"nobody\"}", status: 404))
        }
        for header in ["", "Bearer", "Bearer ", "Basic hunter2", "Bearer hunter2", "Bearer \(foreign)", story.key] {
            asks.append(
                Ask(name: header, path: path, headers: ["authorization": header], status: 401, names: "Authorization"))
        }
        asks.append(Ask(name: "no key", path: path, status: 401, names: "Authorization"))
        asks.append(
            Ask(
                name: "two keys", path: path,
                headers: HTTPHeaders([("authorization", "Bearer \(story.key)"), ("authorization", "Bearer x")]),
                status: 401))
        asks.append(Ask(name: "GET tokens", method: .GET, path: path, headers: key, status: 405, names: "method"))
        return asks
    }

    private static func users(_ story: Story) -> [Ask] {
        let key: HTTPHeaders = ["authorization": "Bearer \(story.key)"]
        let paths: [(String, Int, String)] = [
            ("/v1/tenants/globex/users", 404, ""), ("/v1/tenants/No%20Slug/users", 404, ""),
            ("/v1/tenants/acme/users?limit=0", 400, "limit"), ("/v1/tenants/acme/users?limit=201", 400, "limit"),
            ("/v1/tenants/acme/users?limit=x", 400, "limit"), ("/v1/tenants/acme/users?status=odd", 400, "status"),
            ("/v1/tenants/acme/users?after=!", 400, "after"), ("/v1/tenants/acme/users?after=AA", 400, "after"),
            ("/v1/tenants/acme/users/nobody", 404, ""), ("/v1/tenants/acme/users/a%00b", 404, ""),
            ("/v1/tenants/acme/users/%FF", 404, ""), ("/v1/tenants/acme/users/nobody/timeline", 404, ""),
            ("/v1/tenants/globex/users/u/timeline", 404, ""),
        ]
        var asks = paths.map { path, status, names in
            Ask(name: path, method: .GET, path: path, headers: key, status: status, names: names)
        }
        for path in ["users", "users/u", "users/u/timeline"].map({ "/v1/tenants/acme/\($0)" }) {
            asks.append(Ask(name: path, method: .GET, path: path, status: 401, names: "Authorization"))
            asks.append(Ask(name: path, method: .DELETE, path: path, headers: key, status: 405, names: "method"))
        }
        return asks
    }

    @Test func aKeyDoesWhatItsScopesSayForItsTenantOnly() async throws {
        try await Story.with { story in
            let administration = Administration(story.settings)
            let acme = try TenantID("acme")
            let globex = try TenantID("globex")
            _ = try await administration.createTenant(globex, connectionID: "2")
            _ = try await story.send("user.created", "u", delivery: "d")
            let reader = try await administration.createKey(tenant: acme, scopes: [.usersRead]).key
            let minter = try await administration.createKey(tenant: acme, scopes: [.loginTokensCreate]).key
            let foreign = try await administration.createKey(tenant: globex, scopes: Scope.allCases).key
            let list = "/v1/tenants/acme/users"
            let token = "{\"user_id\":\"u\",\"tenant\":\"acme\"}"
            for (key, method, path, body, status) in [
                (reader, .GET, list, "", 200), (minter, .GET, list, "", 403), (foreign, .GET, list, "", 404),
                (foreign, .GET, list + "/u", "", 404), (foreign, .GET, list + "/u/timeline", "", 404),
                (reader, .POST, "/v1/login-tokens", token, 403), (foreign, .POST, "/v1/login-tokens", token, 404),
            ] as [(String, HTTPMethod, String, String, Int)] {
                let reply = try await story.raw(method, path, body, ["authorization": "Bearer \(key)"])
                #expect(reply.status == status, "\(method) \(path)")
                if status == 403 { #expect(reply.body.contains("scope")) }
            }
        }
    }

    @Test func headersThatAreTooLongAreRefused() async throws {
        try await Story.with { story in
            for headers in [
                [("x-long", String(repeating: "x", count: 100_000))],
                (0..<2000).map { ("x-\($0)", "y") },
            ] {
                let answer = try? await story.answer(.POST, story.hookPath, HTTPHeaders(headers), Array("{}".utf8))
                #expect(answer == nil || [400, 431].contains(Int(answer?.0.status.code ?? 0)))
                let health = try await story.raw(.GET, "/healthz", "")
                #expect(health.status == 200)
            }
        }
    }

    @Test func aDuplicateIsToldTheEventThatWasStored() async throws {
        try await Story.with { story in
            let first = try await story.send("user.created", "u", delivery: "d")
            let again = try await story.send("user.created", "u", delivery: "d")
            #expect(first.status == 202 && again.status == 200)
            #expect(first.body.replacing("accepted", with: "duplicate") == again.body)
        }
    }

    @Test func aBodyWithoutALengthIsCountedToo() async throws {
        try await Story.with { story in
            var request = HTTPClientRequest(url: story.hookURL)
            request.method = .POST
            request.body = .bytes(repeatElement(UInt8(ascii: "x"), count: 300_000), length: .unknown)
            let answer = try await story.http.execute(request, timeout: .seconds(20))
            _ = try await answer.body.collect(upTo: 1 << 20)
            #expect(answer.status.code == 413)
            #expect(answer.headers.first(name: "content-type") == "application/problem+json")
        }
    }

    @Test func aRequestIDIsEchoedWhenItIsOneAndReplacedWhenNot() async throws {
        try await Story.with { story in
            let (echoed, _) = try await story.answer(.GET, "/nowhere", ["x-request-id": "abc.DEF_1-2"], [])
            #expect(echoed.headers["x-request-id"] == ["abc.DEF_1-2"])
            for bad in ["", "a b", "a\"b", "<b>", String(repeating: "x", count: 129)] {
                let (answer, _) = try await story.answer(.GET, "/nowhere", ["x-request-id": bad], [])
                let given = try #require(answer.headers.first(name: "x-request-id"))
                #expect(given != bad && !given.isEmpty)
            }
        }
    }

    @Test func aRevokeBeforeItsSignUpIsKeptAndAnOlderSignUpStaysRevoked() async throws {
        try await Story.with { story in
            func event(_ type: String, _ time: String) -> String {
                "{\"type\":\"\(type)\",\"timestamp\":\"\(time)\",\"data\":{\"user_id\":\"u-1\"}}"
            }
            #expect(try await story.deliver(event("user.deleted", "2026-01-02T00:00:00Z"), "m1").status == 202)
            let late = try await story.deliver(event("user.created", "2026-01-01T00:00:00Z"), "m2")
            #expect(late.status == 200 && late.body.contains("superseded"))
            let twice = try await story.deliver(event("user.deleted", "2026-01-02T00:00:00Z"), "m1")
            #expect(twice.status == 200 && twice.body.contains("duplicate"))
            #expect(try await story.deliver("{\"type\":\"user.renamed\"}", "m3").body.contains("ignored"))
            #expect(try await story.post("/v1/login-tokens", "{\"user_id\":\"u-1\"}").status == 410)
            #expect(try await story.provider("/control/counts").contains("\"live\":0"))
        }
    }

    @Test func withoutItsDatabaseTheHookAsksToBeTriedAgainAndLosesNothing() async throws {
        try await Story.with { story in
            #expect(try await story.send("user.created", "u-1", delivery: "m1").status == 202)
            let admin = story.database.admin
            let close = "update pg_database set datallowconn = %s where datname = current_database()"
            try await admin.script(close.replacing("%s", with: "false"))
            _ = try await admin.query(
                """
                select pg_terminate_backend(pid)::text from pg_stat_activity
                where datname = current_database() and pid <> pg_backend_pid()
                """)
            let body = "{\"type\":\"user.created\",\"data\":{\"user_id\":\"u-2\"}}"
            let headers = try story.signed(body, id: "m2")
            let (away, text) = try await story.answer(.POST, story.hookPath, headers, Array(body.utf8))
            #expect(away.status.code == 503 && away.headers.first(name: "retry-after") != nil, "\(text)")
            #expect(text.contains("\"code\":\"unavailable\""))
            try await admin.script(close.replacing("%s", with: "true"))
            let deadline = ContinuousClock.now + .seconds(20)
            while try await story.deliver(body, "m2").status >= 300 {
                try #require(ContinuousClock.now < deadline, "the database came back unnoticed")
                _ = try await admin.query("select pg_sleep(0.05)::text")
            }
            try await story.until("select 1 from dialtone.users where user_id = 'u-2' and status = 'ready'")
            #expect(try await admin.query("select 1 from dialtone.events").count == 2)
        }
    }
}

extension Story {
    /// The headers of a delivery that proves itself.
    func signed(_ body: String, id: String = "msg_1", at now: Date = Date()) throws -> HTTPHeaders {
        let stamp = Int64(now.timeIntervalSince1970)
        let key = try StandardWebhooksProof.key(from: self.secret)
        return [
            "webhook-id": id, "webhook-timestamp": "\(stamp)",
            "webhook-signature": StandardWebhooksProof.sign(
                id: id, timestamp: stamp, body: Array(body.utf8), key: key),
        ]
    }

    fileprivate func deliver(_ body: String, _ id: String) async throws -> Reply {
        try await self.raw(.POST, self.hookPath, body, try self.signed(body, id: id))
    }

    fileprivate func answer(
        _ method: HTTPMethod, _ path: String, _ headers: HTTPHeaders, _ body: [UInt8]
    ) async throws -> (HTTPClientResponse, String) {
        var request = HTTPClientRequest(url: self.address + path)
        request.method = method
        request.headers = headers
        if !body.isEmpty { request.body = .bytes(ByteBuffer(bytes: body)) }
        let answer = try await self.http.execute(request, timeout: .seconds(40))
        return (answer, String(buffer: try await answer.body.collect(upTo: 1 << 20)))
    }
}
