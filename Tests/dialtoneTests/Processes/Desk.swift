// SPDX-License-Identifier: Apache-2.0
// An operator's desk: the program with the settings of one installation, and a look into its database.

import Foundation
import Glibc
import TestSupport
import Testing

/// The settings of one installation, and the program's commands with them.
protocol OperatorDesk {
    var environment: [String: String] { get set }
}

struct Desk: OperatorDesk {
    let database: TestDatabase
    var environment: [String: String]
    /// For files of the test. `with` makes and removes it.
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("desk-\(UUID().uuidString)")

    /// Lends a desk with the tenant acme and a simulated provider that takes the key `test-key`. No service runs.
    static func withSimulator(_ work: (inout Desk) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            let (simulator, provider) = try await Desk.start(
                ["simulator", "--listen", "127.0.0.1:0", "--api-key", "test-key"], [:])
            defer { simulator.terminate() }
            try await Self.with(database, provider: provider["base_url"], work)
        }
    }

    /// Lends a desk with the tenant acme and a provider at that URL. No service runs.
    static func with(
        _ database: TestDatabase, provider: String?, _ work: (inout Desk) async throws -> Void
    ) async throws {
        let key = try await Program.run(["vault", "keygen"]).output
        var desk = Desk(
            database: database,
            environment: [
                "DATABASE_URL": database.url, "DIALTONE_KEK": "env:KEK", "TELNYX_API_KEY": "test-key",
                "KEK": key.trimmingCharacters(in: .newlines), "DIALTONE_LISTEN": "127.0.0.1:0",
            ])
        desk.environment["TELNYX_BASE_URL"] = provider
        let made = try await desk.run(["tenant", "create", "acme", "--connection-id", "1000000001"])
        #expect(made.code == 0, "\(made.errors)")
        try FileManager.default.createDirectory(at: desk.folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: desk.folder) }
        try await work(&desk)
    }
}

extension OperatorDesk {
    /// Runs a command to its end.
    func run(_ arguments: [String]) async throws -> Program.Ended {
        try await Program.run(arguments, self.environment)
    }

    /// Expects exit code 0 and some output.
    func done(_ arguments: String...) async throws {
        let ended = try await self.run(arguments)
        #expect(ended.code == 0 && !ended.output.isEmpty, "\(arguments): \(ended.errors)")
    }

    /// Expects a failure that is no wrong usage, and a reason with these words. `code`: the exit code.
    func fails(_ arguments: [String], _ words: String, code: Int32? = nil) async throws {
        let ended = try await self.run(arguments)
        #expect(ended.code != 0 && ended.code != 2 && ended.code == code ?? ended.code, "\(arguments): \(ended)")
        let reason = ended.errors.split(separator: "\n").last { $0.hasPrefix("dialtone: ") }
        #expect(reason?.contains(words) == true, "\(arguments): \(ended.errors)")
    }

    /// Expects exit code 0. Returns the JSON object that the command has printed.
    func json(_ arguments: String...) async throws -> [String: Any] { try await self.json(arguments) }

    /// Expects exit code 0. Returns the JSON object that the command has printed.
    func json(_ arguments: [String]) async throws -> [String: Any] {
        var line = arguments
        // Behind -- it would be an argument.
        line.insert("--json", at: line.firstIndex(of: "--") ?? line.count)
        let ended = try await self.run(line)
        #expect(ended.code == 0, "\(arguments): \(ended.errors)")
        return try JSONSerialization.jsonObject(with: Data(ended.output.utf8)) as? [String: Any] ?? [:]
    }

    /// Makes a source of acme at the service, and remembers its secret. Returns the hook's URL.
    mutating func makeSource(at address: String) async throws -> String {
        self.environment["DIALTONE_PUBLIC_URL"] = address
        let source = try await self.json("source", "create", "app", "--tenant", "acme")
        self.environment["DIALTONE_SOURCE_SECRET"] = source["secret"] as? String
        return try #require(source["url"] as? String)
    }

    /// Makes a source of acme and signs this user up at the service.
    func signUp(_ user: String, at address: String) async throws {
        var desk = self
        let hook = try await desk.makeSource(at: address)
        try await desk.done("send", "--url", hook, "--tenant", "acme", "--user", user)
    }
}

extension Desk {
    /// Starts the program. Returns its process and the ready line that it has printed.
    static func start(
        _ arguments: [String], _ environment: [String: String], errors: Pipe? = nil
    ) async throws -> (Child, [String: String]) {
        var command = Program.command(arguments, environment)
        let output = Pipe.own()
        command.output = .pipe(output)
        if let errors { command.errors = .pipe(errors) }
        let process = try command.start()
        var told = Data()
        for await bytes in output.pieces() {
            told += bytes
            if told.contains(10) { break }
        }
        let object = try JSONSerialization.jsonObject(with: told) as? [String: Any]
        return (process, (object ?? [:]).compactMapValues { $0 as? String })
    }

    /// Sends the signal and returns the exit code; the signal's number when the process has died of one.
    static func end(_ process: Child, by signal: Int32) async -> Int32 {
        process.signal(signal)
        return await process.ended()
    }
}
