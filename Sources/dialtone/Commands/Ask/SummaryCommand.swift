// SPDX-License-Identifier: Apache-2.0
// `dialtone summary`: a tenant at a glance.

import ArgumentParser
import Composition
import Directory
import Model

struct SummaryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "summary", abstract: "A tenant at a glance: who waits, what came in, how fast it went.")

    @OptionGroup var asked: AskedOfTenant
    @Option(help: "The last so many hours, 1 to 2160 (90 days).") var hours = 24

    func validate() throws {
        guard (1...Summaries.mostHours).contains(self.hours) else {
            throw ValidationError("--hours must be from 1 to \(Summaries.mostHours)")
        }
    }

    func run() async throws {
        let summary = try await self.asked.ask { questions, tenant in
            guard let summary = try await questions.summary(of: tenant, hours: self.hours) else {
                throw NotFound(what: "tenant \(tenant)")
            }
            return summary
        }
        if self.asked.json { return try Terminal.show(json: summary) }
        Terminal.show(Self.text(summary, hours: self.hours))
    }

    private static func text(_ summary: Summary, hours: Int) -> String {
        let oldest = summary.oldestWaitingAt.map { " (the oldest since \(RFC3339.text($0)))" } ?? ""
        let total = summary.total
        let fast = Self.typical(total).map { "; half of them within \($0) ms" } ?? ""
        return """
            \(summary.tenant) at \(RFC3339.text(summary.asOf)); what was counted may be ten seconds behind
              waiting      \(Self.number(summary.waiting))\(oldest)
              failed       \(Self.number(summary.failed))
              removing     \(Self.number(summary.removing))
              credentials  \(summary.credentials) with those under way (tags: \(summary.tags), extra: \(summary.extra))
              quarantined  \(summary.quarantined)
            the last \(hours == 1 ? "hour" : "\(hours) hours")
              events       \(total.accepted) accepted, \(total.duplicate) duplicate, \(total.superseded) superseded
              refused      \(summary.refused) of what the tenant's own sources have sent\(hours > 336 ? ", of 14 days" : "")
              users        \(total.ready) became ready\(fast), \(total.failed) failed, \(total.revoked) removed
            """
    }

    private static func number(_ count: UserCount) -> String { count.exact ? "\(count.count)" : "\(count.count)+" }

    /// The upper bound of the bucket in which the middle one lies.
    private static func typical(_ hour: Summary.Hour) -> Int? {
        let all = hour.latency.reduce(0, +)
        var sum: Int64 = 0
        for (place, number) in hour.latency.enumerated() {
            sum += number
            if all > 0, sum * 2 >= all { return Summary.bounds.indices.contains(place) ? Summary.bounds[place] : nil }
        }
        return nil
    }
}
