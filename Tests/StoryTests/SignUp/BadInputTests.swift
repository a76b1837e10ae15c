// SPDX-License-Identifier: Apache-2.0
// Everything a caller can get wrong over HTTP: each is named in a problem body, stores nothing and is never a 500.

import AsyncHTTPClient
import Composition
import Foundation
import Model
import NIOCore
import NIOHTTP1
import Postgres
import TestSupport
import Testing

@Suite struct BadInputTests {
    @Test func `every bad request is named and stores nothing`() async throws {
        try await Story.with { story in
            for bad in try BadRequest.all(story) {
                let reply = try await story.request(bad.method, bad.path, bad.body, bad.headers)
                #expect(reply.status == bad.status, "\(bad.name): \(reply.status) \(reply.body)")
                #expect(reply.headers.first(name: "content-type") == "application/problem+json", "\(bad.name)")
                let problem = try #require(reply.problem, "\(bad.name): \(reply.body)")
                #expect(
                    problem.type == "/problems/\(problem.code)" && !problem.title.isEmpty
                        && problem.status == bad.status)
                let meaning = try await story.request(.GET, problem.type)
                #expect(meaning.status == 200 && meaning.body.hasPrefix("# \(problem.code)\n"), "\(problem.type)")
                #expect(!problem.code.isEmpty && problem.request_id == reply.headers.first(name: "x-request-id"))
                #expect(
                    bad.names.isEmpty || problem.detail.contains(bad.names), "\(bad.name): \(problem.detail)")
                for secret in [story.secret, story.key, "hunter2"] {
                    #expect(!reply.body.contains(secret), "\(bad.name)")
                }
            }
            for table in ["events", "users", "jobs", "credentials"] {
                #expect(try await story.database.admin.query("select 1 from dialtone.\(unsafeText: table)").isEmpty)
            }
        }
    }

    @Test func `a key does what its scopes say, and for its tenant only`() async throws {
        try await Story.with { story in
            let administration = story.administration
            let acme = try TenantID("acme")
            let globex = try TenantID("globex")
            _ = try await administration.createTenant(globex, connectionID: "2")
            _ = try await story.send(.created, "u", delivery: "d")
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
                let reply = try await story.request(method, path, body, ["authorization": "Bearer \(key)"])
                #expect(reply.status == status, "\(method) \(path)")
                if status == 403 { #expect(reply.body.contains("scope")) }
            }
        }
    }

    @Test func `headers that are too long are refused`() async throws {
        try await Story.with { story in
            for headers in [
                [("x-long", String(repeating: "x", count: 100_000))],
                (0..<2000).map { ("x-\($0)", "y") },
            ] {
                let reply = try? await story.request(.POST, story.hookPath, "{}", HTTPHeaders(headers))
                #expect(reply == nil || [400, 431].contains(reply?.status ?? 0))
                let health = try await story.request(.GET, "/healthz")
                #expect(health.status == 200)
            }
        }
    }

    @Test func `a body without a length is counted too`() async throws {
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

    @Test func `a well-formed request id is echoed, and any other is replaced`() async throws {
        try await Story.with { story in
            let echoed = try await story.request(.GET, "/nowhere", "", ["x-request-id": "abc.DEF_1-2"])
            #expect(echoed.headers["x-request-id"] == ["abc.DEF_1-2"])
            for bad in ["", "a b", "a\"b", "<b>", String(repeating: "x", count: 129)] {
                let reply = try await story.request(.GET, "/nowhere", "", ["x-request-id": bad])
                let given = try #require(reply.headers.first(name: "x-request-id"))
                #expect(given != bad && !given.isEmpty)
            }
        }
    }
}
