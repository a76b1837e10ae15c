// SPDX-License-Identifier: Apache-2.0
// With --json a program reads why a command has failed: one line of JSON, the last of standard error.

import Foundation
import Postgres
import TestSupport
import Testing

@Suite struct ProblemLineTests {
    /// Nobody listens there.
    private static let nowhere = ["DATABASE_URL": "postgresql://127.0.0.1:1/x"]

    /// Expects this exit code and this problem, of a type that has a page.
    private static func expect(
        _ ended: Program.Ended, exits exit: Int32, _ code: String, _ status: Int
    ) throws {
        let line = try #require(ended.errors.split(separator: "\n").last, "\(ended)")
        let problem = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        #expect(ended.code == exit && problem?["code"] as? String == code, "\(ended)")
        #expect(problem?["status"] as? Int == status && problem?["type"] as? String == "/problems/\(code)", "\(ended)")
        let page = Page.repository.appendingPathComponent("docs/http-api.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        #expect(text.contains("\n| `\(code)` | "), "\(code) has no page")
    }

    @Test func `a wrong value and a wrong setting are problems, and so is a database that is away`() async throws {
        let slug = try await Program.run(["user", "list", "--tenant", "No Slug", "--json"], Self.nowhere)
        try Self.expect(slug, exits: 2, "invalid_value", 400)
        let unset = try await Program.run(["user", "list", "--json"])
        try Self.expect(unset, exits: 2, "invalid_value", 400)
        let wrong = ["DIALTONE_LEASE": "x", "DIALTONE_CONCURRENCY": "x"]
        let two = try await Program.run(["limit", "list", "--json"], Self.nowhere.merging(wrong) { $1 })
        try Self.expect(two, exits: 2, "invalid_value", 400)
        #expect(two.errors.contains("DIALTONE_LEASE") && two.errors.contains("DIALTONE_CONCURRENCY"), "\(two)")
        let away = try await Program.run(["limit", "list", "--json"], Self.nowhere)
        try Self.expect(away, exits: 7, "unavailable", 503)
    }

    @Test func `the way is said first, and each kind of failure has a type of its own`() async throws {
        try await TestDatabase.with { database in
            try await Desk.with(database, provider: nil) { desk in
                try await database.insert(Ledger.users(1))
                let unknown = try await desk.run(["user", "show", "nobody", "--tenant", "acme", "--json"])
                try Self.expect(unknown, exits: 3, "not_found", 404)
                #expect(unknown.errors.hasPrefix("asking the database "), "\(unknown)")
                let tenant = try await desk.run(["tenant", "update", "nobody", "--credential-life", "90d", "--json"])
                try Self.expect(tenant, exits: 3, "not_found", 404)
                let pending = try await desk.run(["user", "reopen", "user-1", "--tenant", "acme", "--json"])
                try Self.expect(pending, exits: 5, "conflict", 409)
                #expect(pending.errors.hasPrefix("acting in the database "), "\(pending)")
                try await desk.done("source", "create", "app", "--tenant", "acme")
                let kept = try await desk.run(["source", "delete", "app", "--tenant", "acme", "--json"])
                try Self.expect(kept, exits: 1, "command_failed", 500)
            }
        }
    }

    @Test func `a problem of the service is passed on, on one line`() async throws {
        let api = try StandIn { _ in
            .reply(
                401,
                """
                {"type": "/problems/key_unknown", "title": "Unauthorized",
                 "status": 401, "detail": "The key is unknown.", "code": "key_unknown", "request_id": "r"}
                """)
        }
        defer { api.stop() }
        let environment = [
            "DIALTONE_URL": "http://127.0.0.1:\(api.port)", "DIALTONE_API_KEY": "dtk_of_the_test",
            "DIALTONE_TENANT": "acme",
        ]
        let ended = try await Program.run(["why", "ada", "--json"], environment)
        try Self.expect(ended, exits: 4, "key_unknown", 401)
        #expect(ended.errors.contains("\"request_id\":\"r\""), "\(ended)")
    }
}
