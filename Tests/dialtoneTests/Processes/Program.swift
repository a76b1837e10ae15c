// SPDX-License-Identifier: Apache-2.0
// Runs the built program as a process, as a person or a script would.

import Foundation
import TestSupport

enum Program {
    /// The end of one run.
    struct Ended {
        let code: Int32
        let output: String
        let errors: String
    }

    /// Returns the built program as a process that is not yet started and reads nothing.
    static func process(_ arguments: [String], _ environment: [String: String]) -> Process {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let process = Process()
        let program = ProcessInfo.processInfo.environment["DIALTONE_TEST_PROGRAM"] ?? ".build/debug/dialtone"
        process.executableURL =
            program.hasPrefix("/")
            ? URL(fileURLWithPath: program) : root.appendingPathComponent(program)
        process.arguments = arguments
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        return process
    }

    /// Runs the built program with `environment` as its whole environment.
    /// `input` is what standard input holds; nil: nothing.
    static func run(
        _ arguments: [String], _ environment: [String: String] = [:], input: String? = nil
    ) async throws -> Ended {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("cli-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        // The output goes to files. With pipes a long help text would wait for a reader.
        let (output, errors) = (folder.appendingPathComponent("out"), folder.appendingPathComponent("err"))
        for file in [output, errors] { _ = FileManager.default.createFile(atPath: file.path, contents: nil) }
        let process = Self.process(arguments, environment)
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        if let input {
            let file = folder.appendingPathComponent("in")
            try input.write(to: file, atomically: true, encoding: .utf8)
            process.standardInput = try FileHandle(forReadingFrom: file)
        }
        let code = try await withCheckedThrowingContinuation { (ended: CheckedContinuation<Int32, any Error>) in
            process.terminationHandler = { ended.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { ended.resume(throwing: error) }
        }
        return Ended(
            code: code, output: try String(contentsOf: output, encoding: .utf8),
            errors: try String(contentsOf: errors, encoding: .utf8))
    }

    /// Runs a process to its end. Returns its exit code, and all that it has said in the order in which it was said.
    static func end(of process: Process) async throws -> (code: Int32, text: String) {
        let output = Pipe.own()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        var told = Data()
        for await bytes in output.pieces() { told += bytes }
        return (await Desk.exitCode(of: process), String(decoding: told, as: UTF8.self))
    }
}
