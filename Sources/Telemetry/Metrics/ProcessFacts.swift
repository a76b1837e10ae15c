// SPDX-License-Identifier: Apache-2.0
// What the system knows of this process (proc(5)): memory, processor time, descriptors, start.

import Foundation
import Glibc

/// The usual metrics of a process, under the names that every Prometheus client uses.
enum ProcessFacts {
    static func write(to page: inout MetricsPage) {
        let stat = Self.statFields
        if let memory = Self.residentBytes {
            page.addGauge("process_resident_memory_bytes", "Resident memory of this process.", memory)
        }
        if let seconds = Self.processorSeconds(stat) {
            page.addCounter("process_cpu_seconds_total", "User and system time of this process.", seconds)
        }
        if let files = Self.openFiles {
            page.addGauge("process_open_fds", "Open file descriptors of this process.", Double(files))
        }
        if let start = Self.startTime(stat) {
            page.addGauge("process_start_time_seconds", "When this process started, since 1970.", start)
        }
    }

    /// The fields of `/proc/self/stat` behind the program's name. The first is field 3 of the manual's count.
    private static var statFields: [Substring] {
        let stat = (try? String(contentsOfFile: "/proc/self/stat", encoding: .utf8)) ?? ""
        return stat.split(separator: ")").last?.split(separator: " ") ?? []
    }

    private static let ticksPerSecond = Double(sysconf(Int32(_SC_CLK_TCK)))

    private static var residentBytes: Double? {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        return Self.value(of: "VmRSS:", in: status).map { $0 * 1024 }
    }

    /// Fields 14 and 15, in clock ticks.
    private static func processorSeconds(_ stat: [Substring]) -> Double? {
        guard stat.count > 12, let user = Double(stat[11]), let system = Double(stat[12]) else { return nil }
        return (user + system) / Self.ticksPerSecond
    }

    /// Field 22, in clock ticks since the system started; the system's start is `btime` in `/proc/stat`.
    private static func startTime(_ stat: [Substring]) -> Double? {
        guard stat.count > 19, let ticks = Double(stat[19]) else { return nil }
        return Self.systemStart.map { $0 + ticks / Self.ticksPerSecond }
    }

    private static let systemStart: Double? = {
        let system = (try? String(contentsOfFile: "/proc/stat", encoding: .utf8)) ?? ""
        return Self.value(of: "btime ", in: system)
    }()

    /// The number behind a word at the beginning of a line.
    private static func value(of word: String, in text: String) -> Double? {
        text.split(separator: "\n").first { $0.hasPrefix(word) }
            .flatMap { $0.dropFirst(word.count).split(whereSeparator: \.isWhitespace).first }.flatMap { Double($0) }
    }

    /// Nil when the folder cannot be read. The folder's own descriptor and its two dots do not count.
    private static var openFiles: Int? {
        guard let folder = opendir("/proc/self/fd") else { return nil }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        return max(0, count - 3)
    }
}
