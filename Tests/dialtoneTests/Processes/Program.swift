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

    /// Where the built program is.
    static var path: String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let program = ProcessInfo.processInfo.environment["DIALTONE_TEST_PROGRAM"] ?? ".build/debug/dialtone"
        return program.hasPrefix("/") ? program : root.appendingPathComponent(program).path
    }

    /// Returns the built program as a command that is not yet started and reads nothing.
    static func command(_ arguments: [String], _ environment: [String: String]) -> Command {
        Command(Self.path, arguments, environment: environment)
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
        var command = Self.command(arguments, environment)
        command.output = .file(try FileHandle(forWritingTo: output))
        command.errors = .file(try FileHandle(forWritingTo: errors))
        if let input {
            let file = folder.appendingPathComponent("in")
            try input.write(to: file, atomically: true, encoding: .utf8)
            command.input = .file(try FileHandle(forReadingFrom: file))
        }
        let code = try await command.start().ended()
        return Ended(
            code: code, output: try String(contentsOf: output, encoding: .utf8),
            errors: try String(contentsOf: errors, encoding: .utf8))
    }

    /// Runs a command to its end. Returns its exit code, and all that it has said in the order in which it was said.
    static func end(of command: Command) async throws -> (code: Int32, text: String) {
        var command = command
        let output = Pipe.own()
        command.output = .pipe(output)
        command.errors = .pipe(output)
        let process = try command.start()
        var told = Data()
        for await bytes in output.pieces() { told += bytes }
        return (await process.ended(), String(decoding: told, as: UTF8.self))
    }
}
