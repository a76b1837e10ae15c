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
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let output = Pipe.own()
        process.standardOutput = output
        if collectsErrors { process.standardError = output }
        let status = try await withCheckedThrowingContinuation { (ended: CheckedContinuation<Int32, any Error>) in
            process.terminationHandler = { ended.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { ended.resume(throwing: error) }
        }
        return (status, output.fileHandleForReading.availableData)
    }
}
