// SPDX-License-Identifier: Apache-2.0
// What a shell offers comes from whom the command would ask, and the line wins over the environment.

import Foundation
import Postgres
import TestSupport
import Testing

@Suite struct CompletionTests {
    /// Returns what is offered for the last of these words. `argument`: as the shell's script names it.
    private static func offered(
        _ argument: String, of command: [String], _ words: [String], _ environment: [String: String]
    ) async throws -> [String] {
        let line = ["dialtone"] + command + words
        let place = ["--", argument, "\(line.count - 1)", "\(line.last?.count ?? 0)"]
        let ended = try await Program.run(["---completion"] + command + place + line, environment)
        #expect(ended.code == 0 && ended.errors.isEmpty, "\(ended)")
        return ended.output.split(separator: "\n").map { String($0) }
    }

    @Test func `profiles are offered by their names`() async throws {
        let home = FileManager.default.temporaryDirectory.appendingPathComponent("home-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: home) }
        let folder = home.appendingPathComponent(".config/dialtone")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let profile = #"{"url":"https://a.example.com","key":"dtk_abcdef_secretpart"}"#
        let isMade = FileManager.default.createFile(
            atPath: folder.appendingPathComponent("profiles.json").path,
            contents: Data("{\"staging\":\(profile),\"prod\":\(profile)}".utf8), attributes: [.posixPermissions: 0o600])
        #expect(isMade)
        let environment = ["HOME": home.path]
        let asking = try await Self.offered("--profile", of: ["why"], ["--profile", ""], environment)
        #expect(asking == ["prod", "staging"])
        let leaving = try await Self.offered("--profile", of: ["logout"], ["--profile", ""], environment)
        #expect(leaving == ["prod", "staging"])
    }

    /// bash makes words of their own of `:` and `=`; zsh does not.
    @Test func `the service and the tenant of the line are asked, not those of the environment`() async throws {
        let api = try StandIn { _ in .reply(200, #"{"data":[],"next":null}"#) }
        defer { api.stop() }
        let environment = [
            "DIALTONE_URL": "http://127.0.0.1:1", "DIALTONE_API_KEY": "dtk_of_the_test", "DIALTONE_TENANT": "acme",
        ]
        for words in [
            ["--tenant", "globex", "--url", "http", ":", "//127.0.0.1", ":", "\(api.port)", "u"],
            ["--tenant", "=", "globex", "--url", "=", "http", ":", "//127.0.0.1", ":", "\(api.port)", "u"],
            ["--tenant=globex", "--url=http://127.0.0.1:\(api.port)", "u"],
        ] {
            let count = api.seen.count
            _ = try await Self.offered("positional@0", of: ["why"], words, environment)
            let asked = api.seen.dropFirst(count).first ?? ""
            #expect(asked.hasPrefix("GET /v1/tenants/globex/users?"), "\(words): \(asked)")
            #expect(asked.contains("user_id_prefix=u"), "\(words): \(asked)")
        }
    }

    @Test func `a command that acts in the database is completed from the database`() async throws {
        try await TestDatabase.with { database in
            try await Desk.with(database, provider: nil) { desk in
                try await database.insert(Ledger.users(2))
                try await desk.done("source", "create", "app", "--tenant", "acme")
                var environment = desk.environment
                environment["DIALTONE_URL"] = "http://127.0.0.1:1"
                environment["DIALTONE_API_KEY"] = "dtk_of_the_test"
                for action in ["retry", "rotate", "revoke", "reopen", "erase"] {
                    let users = try await Self.offered("positional@0", of: ["user", action], ["u"], environment)
                    #expect(users == ["user-1", "user-2"], "\(action)")
                }
                let tenants = try await Self.offered(
                    "--tenant", of: ["user", "revoke"], ["--tenant", ""], environment)
                #expect(tenants == ["acme"])
                let sources = try await Self.offered("positional@0", of: ["source", "rotate"], [""], environment)
                #expect(sources == ["app"])
                let asked = try await Self.offered("--source", of: ["user", "list"], ["--source", ""], environment)
                #expect(asked.isEmpty, "the service is asked, and nobody listens there")
                let known = try await Self.offered(
                    "--source", of: ["user", "list"], ["--source", ""], desk.environment)
                #expect(known == ["app"])
            }
        }
    }

    @Test(arguments: [["event", "list"], ["user", "list"]])
    func `sources are offered once each, of the tenant that is meant`(command: [String]) async throws {
        let source = """
            {"source":"app","id":"i","tenant":"acme","tenants":[],"by_table":false,"keeps_names":false,
             "preset":"standard","status":"active","config_version":1,"hook_id":"hk_a","url":null,"secrets":[],
             "lacks_senders_secret":false,"created_at":"2026-01-01T00:00:00.000Z","stopped_at":null}
            """
        // Two tenants have a source of that name.
        let api = try StandIn { _ in .reply(200, "{\"data\":[\(source),\(source)],\"next\":null}") }
        defer { api.stop() }
        var environment = [
            "DIALTONE_URL": "http://127.0.0.1:\(api.port)", "DIALTONE_API_KEY": "dtk_of_the_test",
        ]
        for (words, usual, path) in [
            (["--tenant", "acme", "--source", ""], "globex", "/v1/tenants/acme/sources?"),
            (["--source", ""], "globex", "/v1/tenants/globex/sources?"), (["--source", ""], "", "/v1/sources?"),
        ] {
            environment["DIALTONE_TENANT"] = usual
            let count = api.seen.count
            let offered = try await Self.offered("--source", of: command, words, environment)
            #expect(offered == ["app"], "\(words)")
            #expect(api.seen.dropFirst(count).first?.hasPrefix("GET \(path)") == true, "\(api.seen)")
        }
    }
}
