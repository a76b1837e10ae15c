// SPDX-License-Identifier: Apache-2.0
// A `dialtone serve` that a test has started, with all that it says, its probes and its end.

import Dispatch
import Foundation
import Glibc
import TestSupport
import Testing

struct RunningService {
    /// The line on standard output.
    struct ReadyLine: Decodable {
        let ready: Bool
        let listen: String?
        let status: String?
    }

    let process: Child
    let output: Listener
    let log: Listener

    /// Starts the process and waits for nothing.
    static func start(_ arguments: [String], _ environment: [String: String]) throws -> RunningService {
        let (output, log) = (Listener(), Listener())
        var command = Program.command(["serve"] + arguments, environment)
        command.output = .pipe(output.pipe)
        command.errors = .pipe(log.pipe)
        return RunningService(process: try command.start(), output: output, log: log)
    }

    /// Waits until the process says that it is ready.
    func ready() async throws -> ReadyLine {
        try await self.output.waits(for: "\n")
        return try JSONDecoder().decode(ReadyLine.self, from: Data(self.output.heard.utf8))
    }

    /// Sends the signal, and returns the exit code and how long the end took.
    ///
    /// A process that has not ended within the limit is killed, and its code is 9.
    func end(by signal: Int32, within limit: Duration) async -> (code: Int32, after: Duration) {
        let start = ContinuousClock.now
        self.process.signal(signal)
        let code = await self.exitCode(within: limit)
        return (code, ContinuousClock.now - start)
    }

    /// Waits for the process to end by itself. It is killed at the limit, and its code is then 9.
    func exitCode(within limit: Duration) async -> Int32 {
        let process = self.process
        let killing = DispatchWorkItem { process.signal(SIGKILL) }
        DispatchQueue.global().asyncAfter(
            deadline: .now() + .seconds(Int(limit.components.seconds)), execute: killing)
        defer { killing.cancel() }
        return await process.ended()
    }
}
