// SPDX-License-Identifier: Apache-2.0
// A process of the program that has said that it is ready, with what it uses of the machine.

import Foundation

struct Running: @unchecked Sendable {
    // Unchecked, because Process is a class. One task alone asks it for its pid and tells it to end.
    private let process: Process
    /// The ready line's JSON.
    let ready: [String: String]

    var pid: Int32 { self.process.processIdentifier }
    var port: Int { self.ready["listen"].flatMap { $0.split(separator: ":").last }.flatMap { Int($0) } ?? 0 }

    /// Starts the program and waits for its ready line.
    static func start(_ program: URL, _ arguments: [String], _ environment: [String: String]) async throws -> Running {
        let process = Process()
        let output = Pipe()
        process.executableURL = program
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardOutput = output
        try process.run()
        Interrupt.add(process.processIdentifier)
        var line = Data()
        while !line.contains(10) {
            let more = output.fileHandleForReading.availableData
            guard !more.isEmpty else { throw BenchError.notReady(arguments.joined(separator: " ")) }
            line.append(more)
        }
        let object = try JSONSerialization.jsonObject(with: line) as? [String: Any]
        return Running(process: process, ready: (object ?? [:]).compactMapValues { $0 as? String })
    }

    /// Ends the process gracefully, and waits for its end.
    func stop() {
        self.process.terminate()
        self.process.waitUntilExit()
        Interrupt.remove(self.pid)
    }

    /// Ends the process as `kill -9` does.
    func kill() {
        Glibc.kill(self.pid, SIGKILL)
        self.process.waitUntilExit()
        Interrupt.remove(self.pid)
    }

    /// Returns the resident memory in MiB: now, and the highest so far (proc(5), VmRSS and VmHWM).
    func memory() -> (now: Double, highest: Double) {
        let status = (try? String(contentsOfFile: "/proc/\(self.pid)/status", encoding: .utf8)) ?? ""
        func field(_ name: String) -> Double {
            status.split(separator: "\n").first { $0.hasPrefix(name) }
                .flatMap { $0.split(whereSeparator: \.isWhitespace).dropFirst().first }.flatMap { Double($0) } ?? 0
        }
        return ((field("VmRSS:") / 1024).rounded2, (field("VmHWM:") / 1024).rounded2)
    }

    func processorSeconds() -> Double { Self.processorSeconds(of: self.pid) }

    /// Returns the processor seconds used so far in user and kernel mode (proc(5), fields 14 and 15, in hundredths).
    static func processorSeconds(of pid: Int32) -> Double {
        let stat = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
        let fields = stat.split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else { return 0 }
        return (user + system) / 100
    }
}
