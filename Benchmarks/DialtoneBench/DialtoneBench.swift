// SPDX-License-Identifier: Apache-2.0
// The benchmark: measures Dialtone against this machine's own limits, in one go, and prints JSON.

import Foundation

/// `dialtone-bench [section …] [--seconds N] [--hurry N] [--users N] [--json]`
///
/// Without a section all of `sections` run. Each has a file in `Sections`, named for its figures. It is a measurement,
/// not a test. `--seconds` is for each attack, and for the outage. `--hurry` says how much faster than time the days of
/// `sweep` and `late` pass. `--users` is for
/// `million` and `queries`. Standard output is JSON; `--json` leaves out the text on standard
/// error.
///
/// Loader, service, simulator and PostgreSQL share the machine, so no number is that of a service alone. Compare
/// numbers of one run only.
@main
struct DialtoneBench {
    static let sections = [
        "rows", "accept", "jobs", "latency", "driver", "footprint", "shards", "fairness", "recovery", "bloat",
        "budget", "senders",
    ]
    /// These run when they are named: they take long.
    static let longSections = [
        "attacks", "sweep", "outage", "failing", "restart", "revoke", "late", "million",
        "queries",
    ]

    static func main() async {
        guard let order = Order(CommandLine.arguments.dropFirst()) else {
            FileHandle.standardError.write(
                Data(
                    """
                    usage: dialtone-bench [\((Self.sections + Self.longSections).joined(separator: "|"))]… \
                    [--seconds N] [--hurry N] [--users N] [--json]\n
                    """.utf8))
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
        /// For each attack, and for the outage; nil: as long as usual.
        var seconds: Double?
        /// How much faster than time a day passes; nil: as fast as usual.
        var hurry: Int?
        /// For `million`.
        var users = 1_000_000
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
                case "--hurry":
                    guard let factor = rest.popFirst().flatMap(Int.init), (1...1000).contains(factor) else {
                        return nil
                    }
                    self.hurry = factor
                case "--users":
                    guard let users = rest.popFirst().flatMap(Int.init), users > 0 else { return nil }
                    self.users = users
                case let section where (DialtoneBench.sections + DialtoneBench.longSections).contains(section):
                    self.sections.append(section)
                default: return nil
                }
            }
            if self.sections.isEmpty { self.sections = DialtoneBench.sections }
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
            case "attacks": report.attacks = try await Attacks.measure(on: bed, seconds: order.seconds ?? 30)
            case "sweep": report.sweep = try await SweepCost.measure(on: bed, hurry: order.hurry ?? 100)
            case "outage": report.outage = try await Outage.measure(on: bed, seconds: order.seconds ?? 300)
            case "failing": report.failing = try await FailingCreates.measure(on: bed)
            case "revoke": report.revoke = try await Revokes.measure(on: bed)
            case "restart": report.restart = try await Restart.measure(on: bed)
            case "late": report.late = try await LateCreates.measure(on: bed, hurry: order.hurry ?? 10)
            case "million": report.million = try await Million.measure(on: bed, users: order.users)
            case "queries": report.queries = try await QueryTimes.measure(on: bed, users: order.users)
            default: report.footprint = try await Footprint.measure(on: bed)
            }
        }
        return report
    }
}
