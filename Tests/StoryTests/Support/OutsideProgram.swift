// SPDX-License-Identifier: Apache-2.0
// Programs that share nothing with Dialtone and check it from outside: the official packages and the ledger check.

import Foundation
import TestSupport
import Testing

enum OutsideProgram {
    /// The folder of Package.swift.
    static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// Runs a script of `Conformance` in the Python that `make test` sets up, and expects that it succeeds.
    static func python(_ script: String, _ arguments: [String]) async throws {
        let root = Self.repository
        let python = ProcessInfo.processInfo.environment["DIALTONE_PYTHON"] ?? root.path + "/.venv/bin/python"
        try #require(FileManager.default.isExecutableFile(atPath: python), "run `make test`, which sets up \(python)")
        let path = root.appendingPathComponent("Tests/StoryTests/Conformance/\(script)").path
        let (status, output) = try await Self.run(
            URL(fileURLWithPath: python), [path] + arguments, collectsErrors: true)
        #expect(status == 0, "\(String(decoding: output, as: UTF8.self))")
    }

    /// Runs the program to its end. `environment` is beside the test's own.
    static func run(
        _ program: URL, _ arguments: [String], environment: [String: String] = [:], collectsErrors: Bool = false
    ) async throws -> (status: Int32, output: Data) {
        var command = Command(program.path, arguments)
        command.environment.merge(environment) { $1 }
        let output = Pipe.own()
        command.output = .pipe(output)
        if collectsErrors { command.errors = .pipe(output) }
        let process = try command.start()
        var told = Data()
        for await bytes in output.pieces() { told += bytes }
        return (await process.ended(), told)
    }
}
