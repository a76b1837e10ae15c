// SPDX-License-Identifier: Apache-2.0
// The processes under test. Each starts again when it ends, as under an operator's supervisor.

import Foundation
import Synchronization

/// Named processes. Each starts again when it ends, until all are stopped.
final class Processes: Sendable {
    private struct State {
        var running: [String: Process] = [:]
        var isOver = false
    }

    private let program: URL
    private let environment: [String: String]
    private let log: URL
    // Process is not Sendable, so every use of one is under this lock.
    private let state = Mutex(State())

    init(_ program: URL, _ environment: [String: String], log: URL) {
        self.program = program
        self.environment = environment
        self.log = log
        _ = FileManager.default.createFile(atPath: log.path, contents: nil)
    }

    var names: [String] { self.state.withLock { $0.running.keys.sorted() } }

    /// Starts a process. `more` is added to the environment of all processes, and wins over it. `other` is its program
    /// if that is not Dialtone.
    func start(_ name: String, _ arguments: [String], _ more: [String: String] = [:], program other: URL? = nil) {
        let (program, environment, log) = (other ?? self.program, self.environment, self.log)
        self.state.withLock { state in
            guard !state.isOver else { return }
            let process = Process()
            process.executableURL = program
            process.arguments = arguments
            process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }.merging(more) { $1 }
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = FileHandle.nullDevice
            // Several processes write to this file. O_APPEND puts each line at its end.
            let errors = open(log.path, O_WRONLY | O_APPEND | O_CLOEXEC)
            if errors >= 0 { process.standardError = FileHandle(fileDescriptor: errors, closeOnDealloc: true) }
            process.terminationHandler = { [weak self] _ in
                Thread.sleep(forTimeInterval: 0.3)
                self?.start(name, arguments, more, program: other)
            }
            try? process.run()
            state.running[name] = process
        }
    }

    func signal(_ name: String, _ number: Int32) {
        self.state.withLock { state in
            if let process = state.running[name], process.isRunning { kill(process.processIdentifier, number) }
        }
    }

    func stopAll() {
        self.state.withLock { state in
            state.isOver = true
            for process in state.running.values where process.isRunning { kill(process.processIdentifier, SIGKILL) }
        }
    }
}
