// SPDX-License-Identifier: Apache-2.0
// The benchmark: measures Dialtone against this machine's own limits, in one go, and prints JSON.

import Foundation

/// `dialtone-bench [section …] [--seconds N] [--json]`
///
/// The sections are rows, accept, jobs, latency, driver, footprint, shards, fairness, recovery, bloat, budget, senders
/// and attacks. Without a section all but the attacks run. Each has a file in `Sections`, named for its figures. It is a
/// measurement, not a test. `--seconds` is for each attack. Standard output is JSON; `--json` leaves out the text on
/// standard error.
///
/// Loader, service, simulator and PostgreSQL share the machine, so no number is that of a service alone. Compare
/// numbers of one run only.
@main
struct DialtoneBench {
    static let sections = [
        "rows", "accept", "jobs", "latency", "driver", "footprint", "shards", "fairness", "recovery", "bloat",
        "budget", "senders", "attacks",
    ]

    static func main() async {
        guard let order = Order(CommandLine.arguments.dropFirst()) else {
            FileHandle.standardError.write(
                Data(
                    "usage: dialtone-bench [\(Self.sections.joined(separator: "|"))]… [--seconds N] [--json]\n".utf8))
            exit(2)
        }
        let signals = Interrupt.watch()
        defer { withExtendedLifetime(signals) {} }
        if order.isQuiet { Progress.silence() }
        do {
            let report = try await Bed.with { bed in try await Self.measure(order, on: bed) }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            print(String(decoding: try encoder.encode(report), as: UTF8.self))
        } catch {
            FileHandle.standardError.write(Data("dialtone-bench: \(error)\n".utf8))
            exit(1)
        }
    }

    /// What the arguments ask for.
    private struct Order {
        var sections: [String] = []
        /// For each attack.
        var seconds = 30.0
        var isQuiet = false

        /// Nil when an argument is unknown or has no value.
        init?(_ arguments: ArraySlice<String>) {
            var rest = arguments
            while let argument = rest.popFirst() {
                switch argument {
                case "--json": self.isQuiet = true
                case "--seconds":
                    guard let seconds = rest.popFirst().flatMap(Double.init), (1...600).contains(seconds) else {
                        return nil
                    }
                    self.seconds = seconds
                case let section where DialtoneBench.sections.contains(section): self.sections.append(section)
                default: return nil
                }
            }
            if self.sections.isEmpty { self.sections = DialtoneBench.sections.filter { $0 != "attacks" } }
        }
    }

    private static func measure(_ order: Order, on bed: Bed) async throws -> Report {
        var report = Report()
        for section in order.sections {
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
            case "budget": report.budget = try await TokenBudget.measure(on: bed)
            case "bloat": report.bloat = try await Bloat.measure(on: bed)
            case "senders": report.senders = try await Senders.measure(on: bed)
            case "attacks": report.attacks = try await Attacks.measure(on: bed, seconds: order.seconds)
            default: report.footprint = try await Footprint.measure(on: bed)
            }
        }
        return report
    }
}
