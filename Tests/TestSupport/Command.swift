// SPDX-License-Identifier: Apache-2.0
// What a test starts: a program, its arguments, its environment, and where its streams lead.

package import Foundation
import PrivatePostgres

package struct Command: Sendable {
    package enum Stream: Sendable {
        case nothing
        /// The child gets its end, and this process closes its own copy of it.
        case pipe(Pipe)
        case file(FileHandle)
    }

    /// The program's whole path.
    package var program: String
    package var arguments: [String]
    /// The whole environment of the child.
    package var environment: [String: String]
    /// The folder to start in; nil: this process's.
    package var folder: String?
    package var input = Stream.nothing
    package var output = Stream.nothing
    package var errors = Stream.nothing

    package init(
        _ program: String, _ arguments: [String],
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) {
        self.program = program
        self.arguments = arguments
        self.environment = environment
    }

    package func start() throws -> Child {
        // posix_spawn(3) changes no folder that the C module knows of; env(1) does.
        let change = self.folder.map { ["/usr/bin/env", "--chdir=\($0)"] } ?? []
        let ends =
            [self.input.end(of: \.fileHandleForReading)]
            + [self.output, self.errors].map { $0.end(of: \.fileHandleForWriting) }
        // The child's end of life is then the pipe's. A pipe that two streams share is closed by the first.
        defer {
            for (end, stream) in zip(ends, [self.input, self.output, self.errors]) where stream.isPipe {
                try? end?.close()
            }
        }
        let child = try ChildProcess.start(
            change + [self.program] + self.arguments, environment: self.environment.map { "\($0)=\($1)" },
            streams: ChildProcess.Streams(
                input: ends[0]?.fileDescriptor, output: ends[1]?.fileDescriptor, errors: ends[2]?.fileDescriptor))
        return Child(child)
    }
}

extension Command.Stream {
    fileprivate var isPipe: Bool { if case .pipe = self { true } else { false } }

    /// Returns what the child gets; nil for nothing.
    fileprivate func end(of pipe: KeyPath<Pipe, FileHandle>) -> FileHandle? {
        switch self {
        case .nothing: nil
        case .pipe(let own): own[keyPath: pipe]
        case .file(let file): file
        }
    }
}
