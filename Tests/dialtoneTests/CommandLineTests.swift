// SPDX-License-Identifier: Apache-2.0
// People and scripts can rely on the program's help, its exit codes, and its output on the right stream.

import Foundation
import Testing

@Suite struct CommandLineTests {
    @Test(arguments: [
        "", "demo", "serve", "migrate", "tenant", "tenant create", "tenant list", "tenant show", "source",
        "source create", "source list", "source rotate", "key", "key create", "key list", "key revoke", "user",
        "user list", "user show",
        "user retry", "user rotate", "user revoke", "user reopen", "limit", "limit list", "limit set", "sweep",
        "installation", "installation show", "installation confirm", "send", "simulator", "vault", "vault keygen",
        "check",
    ])
    func `every command explains itself with --help`(command: String) async throws {
        let ended = try await Program.run(command.split(separator: " ").map(String.init) + ["--help"])
        #expect(ended.code == 0 && ended.errors.isEmpty)
        let usage = command.isEmpty ? "USAGE: dialtone" : "USAGE: dialtone \(command)"
        #expect(ended.output.contains("OVERVIEW: ") && ended.output.contains(usage))
    }

    @Test(arguments: [
        (["nonsense"], "nonsense"), (["serve", "--nonsense"], "--nonsense"), (["serve", "--roles", "cook"], "--roles"),
        (["serve", "--roles", ""], "--roles"), (["demo", "--users", "0"], "--users"),
        (["demo", "--users", "x"], "--users"),
        (["demo", "--listen", "x"], "--listen"), (["tenant", "create"], "tenant"),
        (["tenant", "create", "No Slug"], "tenant"), (["source", "create", "app"], "--tenant"),
        (["source", "create", "app", "--tenant", "a", "--allow", "b"], "--allow"),
        (["key", "create", "--tenant", "acme"], "--scopes"), (["key", "create"], "--tenant"),
        (["key", "create", "--tenant", "acme", "--scopes", "everything"], "scope"),
        (["user", "list"], "--tenant"), (["user", "list", "--tenant", "acme", "--limit", "0"], "--limit"),
        (["send", "--url", "x"], "--tenant"), (["user", "rotate", "u"], "--tenant"),
        (["sweep", "--tenant", "No Slug"], "tenant"), (["installation", "confirm"], "--same"),
        (["simulator", "--listen", "x"], "--listen"),
    ])
    func `wrong usage is named and exits with 2`(arguments: [String], named: String) async throws {
        let ended = try await Program.run(arguments)
        #expect(ended.code == 2, "\(arguments) \(ended.errors)")
        #expect(ended.errors.contains(named) && ended.output.isEmpty, "\(arguments) \(ended.errors)")
    }

    @Test func `wrong settings are named, exit with 2 and show no secret`() async throws {
        let url = "postgresql://user:hunter2@127.0.0.1:1/x"
        let cases: [([String: String], String)] = [
            ([:], "DATABASE_URL"), (["DATABASE_URL": url, "DIALTONE_LISTEN": "x"], "DIALTONE_LISTEN"),
            (["DATABASE_URL": url, "DIALTONE_LEASE": "x"], "DIALTONE_LEASE"),
            (["DATABASE_URL_FILE": "/nowhere/url"], "DATABASE_URL_FILE"),
        ]
        for (environment, name) in cases {
            for command in [["serve"], ["migrate"], ["tenant", "list"], ["check"]] {
                let ended = try await Program.run(command, environment)
                #expect(ended.code == 2 && ended.output.isEmpty, "\(command) \(ended.errors)")
                #expect(ended.errors.contains(name) && !ended.errors.contains("hunter2"), "\(command) \(ended.errors)")
            }
        }
    }

    @Test func `an unreachable database exits with 1 and shows no secret`() async throws {
        let environment = ["DATABASE_URL": "postgresql://user:hunter2@127.0.0.1:1/x"]
        let ended = try await Program.run(["tenant", "list", "--json"], environment)
        #expect(ended.code == 1 && ended.output.isEmpty)
        #expect(ended.errors.hasPrefix("dialtone: ") && !ended.errors.contains("hunter2"), "\(ended.errors)")
    }

    @Test func `check reports a service that is not running and exits with 1`() async throws {
        let ended = try await Program.run(["check", "--ready", "127.0.0.1:1"])
        #expect(ended.code == 1 && ended.output.contains("FAILED  service at 127.0.0.1:1"), "\(ended.output)")
        let wrong = try await Program.run(["check", "--ready", "http://"])
        #expect(wrong.code == 2 && wrong.errors.contains("--ready"), "\(wrong.errors)")
    }

    @Test func `vault keygen prints a new 32-byte key each time and nothing else`() async throws {
        let first = try await Program.run(["vault", "keygen"])
        let second = try await Program.run(["vault", "keygen"])
        #expect(first.code == 0 && first.errors.isEmpty && first.output != second.output)
        let text = first.output.trimmingCharacters(in: .newlines)
        #expect(Data(base64Encoded: text)?.count == 32)
    }
}
