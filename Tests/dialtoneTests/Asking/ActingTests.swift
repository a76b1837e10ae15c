// SPDX-License-Identifier: Apache-2.0
// A command that changes something works in the database, and says so: a URL of another service must not mislead.

import Foundation
import Postgres
import TestSupport
import Testing

@Suite struct ActingTests {
    @Test func `a command that changes something says where it acts, and prints what it did before`() async throws {
        try await TestDatabase.with { database in
            try await Desk.with(database, provider: nil) { desk in
                let place = try PostgresConfiguration(url: database.url)
                let name = try #require(place.database)
                let acting =
                    "acting in the database \(name) at \(place.hosts)" + (place.ports.map { " port \($0)" } ?? "")
                let made = try await desk.run(["tenant", "create", "globex", "--connection-id", "1000000002"])
                #expect(made.code == 0 && made.output == "tenant globex created\n", "\(made)")
                #expect(made.errors == acting + "\n", "\(made)")

                var both = desk
                both.environment["DIALTONE_URL"] = "https://staging.example.com"
                both.environment["DIALTONE_API_KEY"] = "dtk_abcdef_secretpart"
                for action in ["retry", "rotate", "revoke", "reopen", "erase"] {
                    let ended = try await both.run(["user", action, "nobody", "--tenant", "acme"])
                    let first = ended.errors.split(separator: "\n").first.map { String($0) }
                    let words = "\(acting); this command does not go over HTTP, and does not use DIALTONE_URL"
                    #expect(ended.code != 0 && first == words, "\(action): \(ended)")
                }
            }
        }
    }

    @Test func `a command that only reads and has no route says which database it asks`() async throws {
        try await TestDatabase.with { database in
            try await Desk.with(database, provider: nil) { desk in
                try await desk.done("source", "create", "clerk", "--preset", "clerk")
                var both = desk
                both.environment["DIALTONE_URL"] = "https://staging.example.com"
                both.environment["DIALTONE_API_KEY"] = "dtk_abcdef_secretpart"
                let name = try #require(try PostgresConfiguration(url: database.url).database)
                for command in [["sweep", "status"], ["installation", "show"], ["source", "map", "list", "clerk"]] {
                    let ended = try await both.run(command)
                    let first = ended.errors.split(separator: "\n").first.map { String($0) } ?? ""
                    #expect(first.hasPrefix("asking the database \(name) at "), "\(command): \(ended)")
                    #expect(first.hasSuffix("does not use DIALTONE_URL"), "\(command): \(ended)")
                }
                for flag in ["--status", "--dry-run"] {
                    let ended = try await desk.run(["migrate", flag])
                    #expect(ended.code == 0 && ended.errors.hasPrefix("asking the database \(name) at "), "\(ended)")
                }
            }
        }
    }

    @Test(arguments: [
        (["event", "replay", "--source", "app", "--url", "https://a.example.com"], "--url"),
        (["event", "replay", "--source", "app", "--profile", "prod"], "--profile"),
        (["user", "revoke", "ada", "--tenant", "acme", "--url", "https://a.example.com"], "--url"),
    ])
    func `a command that changes something cannot be sent to a service`(
        arguments: [String], named: String
    ) async throws {
        let ended = try await Program.run(arguments, ["DATABASE_URL": "postgresql://127.0.0.1:1/x"])
        #expect(ended.code == 2 && ended.errors.contains(named), "\(ended)")
    }
}
