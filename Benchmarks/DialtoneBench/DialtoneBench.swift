// SPDX-License-Identifier: Apache-2.0
// The benchmark: measures Dialtone against this machine's own limits, in one go, and prints JSON.

import Foundation

/// `dialtone-bench [section …]`
///
/// The sections are rows, accept, jobs, latency, driver, footprint, shards, fairness, recovery and bloat. Without
/// arguments all of them run. Each has a file in `Sections`, named for its figures. It is a measurement, not a test.
///
/// Loader, service, simulator and PostgreSQL share the machine, so no number is that of a service alone. Compare
/// numbers of one run only.
@main
struct DialtoneBench {
    static let sections = [
        "rows", "accept", "jobs", "latency", "driver", "footprint", "shards", "fairness", "recovery", "bloat",
    ]

    static func main() async {
        let wanted = CommandLine.arguments.count > 1 ? Array(CommandLine.arguments.dropFirst()) : Self.sections
        guard wanted.allSatisfy(Self.sections.contains) else {
            FileHandle.standardError.write(
                Data("usage: dialtone-bench [\(Self.sections.joined(separator: "|"))]…\n".utf8))
            exit(2)
        }
        do {
            let report = try await Bed.with { bed in try await Self.measure(wanted, on: bed) }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            print(String(decoding: try encoder.encode(report), as: UTF8.self))
        } catch {
            FileHandle.standardError.write(Data("dialtone-bench: \(error)\n".utf8))
            exit(1)
        }
    }

    private static func measure(_ wanted: [String], on bed: Bed) async throws -> Report {
        var report = Report()
        for section in wanted {
            Progress.tell("measuring: \(section)")
            switch section {
            case "rows": report.rows = try await RowLimit.measure(on: bed)
            case "accept": report.accept = try await AcceptRate.measure(on: bed)
            case "jobs": report.jobs = try await JobRate.measure(on: bed)
            case "latency": report.latency = try await IdleLatency.measure(on: bed)
            case "driver": report.driver = try await DriverRate.measure(on: bed)
            case "shards": report.shards = try await Shards.measure(on: bed)
            case "fairness": report.fairness = try await Fairness.measure(on: bed)
            case "recovery": report.recovery = try await Recovery.measure(on: bed)
            case "bloat": report.bloat = try await Bloat.measure(on: bed)
            default: report.footprint = try await Footprint.measure(on: bed)
            }
        }
        return report
    }
}
