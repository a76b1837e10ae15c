// SPDX-License-Identifier: Apache-2.0
// The program serves people and scripts alike: its help, its exit codes, and its output on the right stream.

import Foundation
import Testing

@Suite struct CommandLineTests {
    struct Ended {
        let code: Int32
        let output: String
        let errors: String
    }

    /// Returns the built program as a process that is not yet started and reads nothing.
    static func process(_ arguments: [String], _ environment: [String: String]) -> Process {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let process = Process()
        process.executableURL = root.appendingPathComponent(".build/debug/dialtone")
        process.arguments = arguments
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        return process
    }

    /// Runs the built program with `environment` as its whole environment.
    static func run(_ arguments: [String], _ environment: [String: String] = [:]) async throws -> Ended {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("cli-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        // The output goes to files. With pipes a long help text would wait for a reader.
        let (output, errors) = (folder.appendingPathComponent("out"), folder.appendingPathComponent("err"))
        for file in [output, errors] { _ = FileManager.default.createFile(atPath: file.path, contents: nil) }
        let process = Self.process(arguments, environment)
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        let code = try await withCheckedThrowingContinuation { (ended: CheckedContinuation<Int32, any Error>) in
            process.terminationHandler = { ended.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { ended.resume(throwing: error) }
        }
        return Ended(
            code: code, output: try String(contentsOf: output, encoding: .utf8),
            errors: try String(contentsOf: errors, encoding: .utf8))
    }

    @Test(arguments: [
        "", "demo", "serve", "migrate", "tenant", "tenant create", "tenant list", "tenant show", "source",
        "source create", "source list", "source rotate", "key", "key create", "key list", "key revoke", "user",
        "user list", "user show",
        "user retry", "user rotate", "user revoke", "sweep", "installation", "installation show",
        "installation confirm",
        "send", "simulator", "vault", "vault keygen", "check",
    ])
    func `every command explains itself with --help`(command: String) async throws {
        let ended = try await Self.run(command.split(separator: " ").map(String.init) + ["--help"])
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
        let ended = try await Self.run(arguments)
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
                let ended = try await Self.run(command, environment)
                #expect(ended.code == 2 && ended.output.isEmpty, "\(command) \(ended.errors)")
                #expect(ended.errors.contains(name) && !ended.errors.contains("hunter2"), "\(command) \(ended.errors)")
            }
        }
    }

    @Test func `an unreachable database exits with 1 and shows no secret`() async throws {
        let environment = ["DATABASE_URL": "postgresql://user:hunter2@127.0.0.1:1/x"]
        let ended = try await Self.run(["tenant", "list", "--json"], environment)
        #expect(ended.code == 1 && ended.output.isEmpty)
        #expect(ended.errors.hasPrefix("dialtone: ") && !ended.errors.contains("hunter2"), "\(ended.errors)")
    }

    @Test func `check reports a service that is not running and exits with 1`() async throws {
        let ended = try await Self.run(["check", "--ready", "127.0.0.1:1"])
        #expect(ended.code == 1 && ended.output.contains("FAILED  service at 127.0.0.1:1"), "\(ended.output)")
        let wrong = try await Self.run(["check", "--ready", "http://"])
        #expect(wrong.code == 2 && wrong.errors.contains("--ready"), "\(wrong.errors)")
    }

    @Test func `vault keygen prints a new 32-byte key each time and nothing else`() async throws {
        let first = try await Self.run(["vault", "keygen"])
        let second = try await Self.run(["vault", "keygen"])
        #expect(first.code == 0 && first.errors.isEmpty && first.output != second.output)
        let text = first.output.trimmingCharacters(in: .newlines)
        #expect(Data(base64Encoded: text)?.count == 32)
    }
}
