// SPDX-License-Identifier: Apache-2.0
// An operator works with the program alone: each command does its work, and its exit code tells the outcome.

import Foundation
import Postgres
import TestSupport
import Testing

@Suite struct OperatorTests {
    @Test func `each command does what it says, or exits with 1 and gives the reason`() async throws {
        try await Self.with { desk in
            let source = try await desk.json("source", "create", "app", "--tenant", "acme")
            let url = try #require(source["url"] as? String)
            desk.environment["DIALTONE_SOURCE_SECRET"] = source["secret"] as? String
            for user in ["u-1", "u-2"] {
                try await desk.done(
                    "send", "--url", url, "--tenant", "acme", "--user", user)
            }
            try await desk.database.until(
                "select 1 from dialtone.users having count(*) filter (where status = 'ready') = 2")

            let shown = try await desk.json("user", "show", "u-1", "--tenant", "acme")
            #expect((shown["user"] as? [String: Any])?["status"] as? String == "ready")
            #expect((shown["timeline"] as? [Any])?.isEmpty == false)
            try await desk.fails(
                ["user", "show", "u-9", "--tenant", "acme"], "there is no user u-9 of tenant acme", code: 3)
            try await desk.fails(
                ["user", "revoke", "u-9", "--tenant", "acme"], "there is no user u-9 of tenant acme", code: 3)
            try await desk.fails(["user", "retry", "u-1", "--tenant", "acme"], "this one is ready", code: 5)
            try await desk.fails(["user", "reopen", "u-1", "--tenant", "acme"], "this one is ready")

            try await desk.done("user", "rotate", "u-1", "--tenant", "acme", "--overlap", "0s")
            try await desk.database.until(
                "select 1 from dialtone.credentials where user_id = 'u-1' and status = 'deleted'")
            try await desk.done("user", "revoke", "u-2", "--tenant", "acme")
            try await desk.database.until("select 1 from dialtone.users where user_id = 'u-2' and status = 'revoked'")
            try await desk.fails(["user", "rotate", "u-2", "--tenant", "acme"], "this one is revoked")
            try await desk.done("user", "reopen", "u-2", "--tenant", "acme")
            try await desk.database.until("select 1 from dialtone.users where user_id = 'u-2' and status = 'ready'")
        }
    }

    @Test func `the provider's side is swept, limited and checked by commands`() async throws {
        try await Self.with { desk in
            let address = try #require(desk.environment["DIALTONE_PUBLIC_URL"])
            let hook = try await desk.makeSource(at: address)
            for user in ["u-1", "u-2"] {
                try await desk.done("send", "--url", hook, "--tenant", "acme", "--user", user)
            }
            try await desk.database.until(
                "select 1 from dialtone.users having count(*) filter (where status = 'ready') = 2")
            let swept = try await desk.json("sweep")
            #expect(swept["listed"] as? Int == 2 && swept["full"] as? Bool == true && swept["strays"] as? Int == 0)
            try await desk.fails(["sweep", "--tenant", "nope"], "nope")
            let limited = try await desk.json("limit", "set", "--tenant", "acme", "--rate", "5")
            #expect("\(limited)".contains("connection:1000000001"))
            try await desk.fails(["limit", "set", "--tenant", "nope", "--rate", "5"], "nope")
            let installation = try await desk.json("installation", "show")
            #expect(installation["needs_confirmation"] as? Bool == false)
            #expect(try await desk.run(["check", "--provider"]).code == 0)
        }
    }

    @Test(arguments: ["-u1", "--u1"])
    func `a user whose id begins with a dash has a life like any other`(user: String) async throws {
        try await Self.with { desk in
            let address = try #require(desk.environment["DIALTONE_PUBLIC_URL"])
            let hook = try await desk.makeSource(at: address)
            try await desk.done("send", "--url", hook, "--tenant", "acme", "--user=\(user)")
            try await desk.database.until(
                "select 1 from dialtone.users where user_id = \(user) and status = 'ready'")

            let shown = try await desk.json("user", "show", "--tenant", "acme", "--", user)
            #expect((shown["user"] as? [String: Any])?["status"] as? String == "ready")
            let listed = try await desk.json("user", "list", "--tenant", "acme")
            #expect((listed["data"] as? [Any])?.count == 1 && "\(listed)".contains(user), "\(listed)")

            try await desk.done("user", "rotate", "--tenant", "acme", "--overlap", "0s", "--", user)
            try await desk.database.until(
                "select 1 from dialtone.credentials where user_id = \(user) and status = 'deleted'")
            try await desk.done("user", "revoke", "--tenant", "acme", "--", user)
            try await desk.database.until(
                "select 1 from dialtone.users where user_id = \(user) and status = 'revoked'")
            try await desk.done("user", "reopen", "--tenant", "acme", "--", user)
            try await desk.database.until(
                "select 1 from dialtone.users where user_id = \(user) and status = 'ready'")
        }
    }

    @Test func `a person is erased when nothing is under way, and may sign up again as somebody new`() async throws {
        try await Self.with { desk in
            let hook = try await desk.makeSource(at: try #require(desk.environment["DIALTONE_PUBLIC_URL"]))
            let erase = ["user", "erase", "u-1", "--tenant", "acme"]
            try await desk.done("send", "--url", hook, "--tenant", "acme", "--user", "u-1")
            try await desk.database.until("select 1 from dialtone.users where status = 'ready'")
            try await desk.fails(erase + ["--yes"], "run dialtone user revoke")
            try await desk.done("user", "revoke", "u-1", "--tenant", "acme")
            try await desk.database.until("select 1 from dialtone.users where status = 'revoked'")
            try await desk.fails(erase + ["--yes"], "come again in a minute")

            try await desk.database.admin.script("update dialtone.job_log set at = at - interval '2 minutes'")
            try await desk.fails(erase, "nothing was erased. Give --yes")
            let erased = try await desk.json("user", "erase", "u-1", "--tenant", "acme", "--yes")
            #expect(erased["events"] as? Int == 1 && erased["kept_in_sources"] as? Int == 0, "\(erased)")
            try await desk.fails(["user", "show", "u-1", "--tenant", "acme"], "there is no user u-1 of tenant acme")
            try await desk.fails(erase + ["--yes"], "there is no user u-1 of tenant acme")

            try await desk.done("send", "--url", hook, "--tenant", "acme", "--user", "u-1")
            try await desk.database.until(
                "select 1 from dialtone.users where user_id = 'u-1' and status = 'ready' and generation = 2")
            let names = try await desk.database.admin.query("select distinct name from dialtone.credentials")
            #expect(names.count == 2)
        }
    }

    /// The sweep asks another organisation first, and then uses a wrong key.
    @Test func `a sweep that sees none of our credentials changes nothing and exits with 1`() async throws {
        try await Self.with { desk in
            let source = try await desk.json("source", "create", "app", "--tenant", "acme")
            let url = try #require(source["url"] as? String)
            desk.environment["DIALTONE_SOURCE_SECRET"] = source["secret"] as? String
            try await desk.done("send", "--url", url, "--tenant", "acme", "--user", "u-1")
            try await desk.database.until("select 1 from dialtone.users where status = 'ready'")

            let (other, ready) = try await Desk.start(["simulator", "--listen", "127.0.0.1:0"], [:])
            defer { other.terminate() }
            var elsewhere = desk
            elsewhere.environment["TELNYX_BASE_URL"] = ready["base_url"]
            try await elsewhere.fails(["sweep"], "another organisation")
            var locked = desk
            locked.environment["TELNYX_API_KEY"] = "wrong"
            try await locked.fails(["sweep", "--json"], "lists failed at the provider")
            #expect(try await locked.run(["check", "--provider"]).code == 1)
            let left = try await desk.database.admin.query(
                "select 1 from dialtone.credentials where status = 'active' and missing_since is null")
            #expect(left.count == 1)
        }
    }

    /// Lends a desk: a database with the tenant acme, a running service, and a simulated provider.
    private static func with(_ work: (inout Desk) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            let (simulator, provider) = try await Desk.start(
                ["simulator", "--listen", "127.0.0.1:0", "--api-key", "test-key"], [:])
            defer { simulator.terminate() }
            let key = try await Program.run(["vault", "keygen"]).output
            var environment = [
                "DATABASE_URL": database.url, "DIALTONE_KEK": "env:KEK", "TELNYX_API_KEY": "test-key",
                "KEK": key.trimmingCharacters(in: .newlines), "DIALTONE_LISTEN": "127.0.0.1:0",
                "DIALTONE_SWEEP_INTERVAL": "1h",
            ]
            environment["TELNYX_BASE_URL"] = provider["base_url"]
            let made = try await Program.run(
                ["tenant", "create", "acme", "--connection-id", "1000000001"], environment)
            #expect(made.code == 0, "\(made.errors)")
            let (service, ready) = try await Desk.start(["serve"], environment)
            defer { service.terminate() }
            environment["DIALTONE_PUBLIC_URL"] = ready["listen"]
            var desk = Desk(database: database, environment: environment)
            try await work(&desk)
        }
    }
}
