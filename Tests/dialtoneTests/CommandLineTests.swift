// SPDX-License-Identifier: Apache-2.0
// People and scripts can rely on the program's help, its exit codes, and its output on the right stream.

import Foundation
import Testing

@Suite struct CommandLineTests {
    @Test(arguments: [
        "", "demo", "serve", "migrate", "tenant", "tenant create", "tenant update", "tenant list",
        "tenant show", "source", "source create", "source list", "source rotate", "source map", "source map add",
        "source map list",
        "source map remove", "source check", "source update", "source disable", "source enable", "source delete", "key",
        "key create", "key list", "key revoke", "user",
        "user list", "user show", "user wait", "user verify", "why", "find", "summary", "tail", "job", "job list",
        "job failures", "login", "logout", "open", "completion", "tenant tags", "tenant findings",
        "user retry", "user rotate", "user revoke", "user reopen", "event", "event list", "event show",
        "event replay", "event drop", "limit", "limit list", "limit set", "sweep",
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
        (["user", "list"], "DIALTONE_URL"), (["why", "ada"], "DATABASE_URL"), (["tail"], "DIALTONE_API_KEY"),
        (["event", "list", "--outcome", "accepted", "--quarantined"], "--outcome"),
        (["summary", "--hours", "0"], "--hours"), (["completion", "powershell"], "shell"),
        (["user", "wait", "u", "--for", "joy"], "--for"),
        (["user", "list", "--tenant", "acme", "--limit", "0"], "--limit"),
        (["user", "list", "--tenant", "acme", "--status", "odd"], "--status"),
        (["send", "--url", "x"], "--tenant"), (["user", "rotate", "u"], "--tenant"),
        (["sweep", "--tenant", "No Slug"], "tenant"), (["installation", "confirm"], "--same"),
        (["simulator", "--listen", "x"], "--listen"),
    ])
    func `wrong usage is named and exits with 2`(arguments: [String], named: String) async throws {
        let ended = try await Program.run(arguments)
        #expect(ended.code == 2, "\(arguments) \(ended.errors)")
        #expect(ended.errors.contains(named) && ended.output.isEmpty, "\(arguments) \(ended.errors)")
    }

    @Test(arguments: [
        ["user", "show", "-u1", "--tenant", "acme"], ["user", "retry", "-u1", "--tenant", "acme"],
        ["user", "rotate", "-h1", "--tenant", "acme"], ["user", "revoke", "--u1", "--tenant", "acme"],
        ["user", "reopen", "-such", "--tenant", "acme"],
        ["key", "revoke", "-abc"], ["tenant", "show", "-a"], ["tenant", "create", "-a"],
        ["source", "create", "-a", "--tenant", "acme"], ["source", "rotate", "-a"],
        ["send", "--url", "http://127.0.0.1:1/", "--tenant", "acme", "--user", "-such"],
    ])
    func `an id that begins with a dash is read, or the error tells how to write it`(arguments: [String]) async throws {
        let ended = try await Program.run(arguments, ["DATABASE_URL": "postgresql://127.0.0.1:1/x"])
        let isRead = ended.code == 1 || ended.code == 7 || ended.errors.contains("DIALTONE_KEK")
        #expect(isRead || (ended.code == 2 && ended.errors.contains(" -- -u1")), "\(arguments) \(ended)")
    }

    @Test(arguments: [
        ["user", "show", "--tenant", "acme", "--", "-u1"], ["user", "rotate", "--tenant", "acme", "--", "-h1"],
        ["send", "--url", "http://127.0.0.1:1/", "--tenant", "acme", "--user", "-u1", "--id", "-1"],
    ])
    func `an id that begins with a dash can be given`(arguments: [String]) async throws {
        let key = try await Program.run(["vault", "keygen"]).output
        let ended = try await Program.run(
            arguments,
            [
                "DATABASE_URL": "postgresql://127.0.0.1:1/x", "DIALTONE_KEK": "env:KEK", "KEK": key,
                "DIALTONE_SOURCE_SECRET": "whsec_\(Data(repeating: 1, count: 32).base64EncodedString())",
            ])
        #expect([1, 7].contains(ended.code) && ended.errors.contains("dialtone: "), "\(arguments) \(ended)")
    }

    @Test func `a secret can be given in a file, and never in two ways`() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("cli-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("secret").path
        try "whsec_\(Data(repeating: 1, count: 32).base64EncodedString())\r\n".write(
            toFile: file, atomically: true, encoding: .utf8)
        let send = ["send", "--url", "http://127.0.0.1:1/", "--tenant", "acme", "--user", "u-1"]
        let sent = try await Program.run(send + ["--secret-file", file])
        #expect([1, 7].contains(sent.code), "it was read, and nobody listens: \(sent)")
        let twice = try await Program.run(send + ["--secret-file", file, "--secret", "x"])
        #expect(twice.code == 2 && twice.errors.contains("--secret-file"), "\(twice)")
        let gone = try await Program.run(["simulator", "--api-key-file", "/nowhere/key"])
        #expect(gone.code == 2 && gone.errors.contains("--api-key-file"), "\(gone)")
    }

    @Test func `a key-encryption key may be quoted and end like a line of Windows`() async throws {
        let key = try await Program.run(["vault", "keygen"]).output.trimmingCharacters(in: .newlines)
        let ended = try await Program.run(
            ["check"],
            ["DATABASE_URL": "postgresql://127.0.0.1:1/x", "DIALTONE_KEK": "env:KEK\r", "KEK": "\"\(key)\"\r"])
        #expect(ended.output.contains("ok      key-encryption key"), "\(ended)")
    }

    @Test func `a key file that others may read is reported by check, and a closed one is not`() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("cli-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("kek").path
        let environment = ["DATABASE_URL": "postgresql://127.0.0.1:1/x", "DIALTONE_KEK": "file:\(file)"]
        for (mode, isReported) in [(0o644, true), (0o640, true), (0o600, false), (0o400, false)] {
            try? FileManager.default.removeItem(atPath: file)
            let key = try await Program.run(["vault", "keygen"]).output
            _ = FileManager.default.createFile(
                atPath: file, contents: Data(key.utf8), attributes: [.posixPermissions: mode])
            let ended = try await Program.run(["check"], environment)
            let told = ended.errors.contains("DIALTONE_KEK names \(file)") && ended.errors.contains("chmod 600")
            #expect(told == isReported, "\(String(mode, radix: 8)): \(ended)")
        }
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

    @Test func `an unreachable database exits with 7 and shows no secret`() async throws {
        let environment = ["DATABASE_URL": "postgresql://user:hunter2@127.0.0.1:1/x"]
        for (arguments, form) in [(["limit", "list"], "dialtone: "), (["limit", "list", "--json"], "{\"type\":")] {
            let ended = try await Program.run(arguments, environment)
            #expect(ended.code == 7 && ended.output.isEmpty, "\(ended)")
            let last = ended.errors.split(separator: "\n").last
            #expect(last?.hasPrefix(form) == true && !ended.errors.contains("hunter2"), "\(ended.errors)")
        }
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
