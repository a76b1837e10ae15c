// SPDX-License-Identifier: Apache-2.0
// The budgets of all sources of this process, and a line a minute about each source of which something was not used.

import Foundation
import Logging
import Model
import Synchronization

final class SourceBudgets: Sendable {
    private let rate: Int
    private let logger: Logger
    private let budgets = Mutex<[SourceID: SourceBudget]>([:])
    /// The sources' names for operators, of those that have a budget.
    private let names = Mutex<[SourceID: String]>([:])
    private let unusable = Mutex<[SourceID: ContinuousClock.Instant]>([:])
    private let secretMissing = Mutex<[SourceID: ContinuousClock.Instant]>([:])

    /// `rate` is in events per second, for each source.
    init(rate: Int, logger: Logger) {
        self.rate = rate
        self.logger = logger
    }

    /// Returns the budget of a source, which outlives the source's entry in `SourceCache`. `name` is the source's slug.
    func budget(of source: SourceID, named name: String = "") -> SourceBudget {
        self.names.withLock { $0[source] = name }
        return self.budgets.withLock { budgets in
            if let known = budgets[source] { return known }
            let budget = SourceBudget(rate: self.rate)
            budgets[source] = budget
            return budget
        }
    }

    /// Tells every minute, and once more at the end, what was not used.
    ///
    /// Cancelled here: the last counts are told, and the loop ends.
    func run(clock: some Clock<Duration> = ContinuousClock()) async {
        while !Task.isCancelled {
            try? await clock.sleep(for: .seconds(60))
            self.tell()
        }
    }

    /// Logs why a source cannot be used, once a minute.
    func tellUnusable(
        _ source: SourceID, named name: String = "", _ reason: String, now: ContinuousClock.Instant = .now
    ) {
        guard self.unusable.withLock({ Self.isDue(source, &$0, now) }) else { return }
        self.logger.error(
            "a source cannot be used as it is configured, and its senders are told to come again",
            metadata: ["source": "\(source.rawValue.lowercase)", "name": "\(name)", "reason": "\(reason)"])
    }

    /// Logs that a sender is not proven whose own secret was never brought in, once a minute.
    func tellSecretMissing(_ source: SourceID, now: ContinuousClock.Instant = .now) {
        guard self.secretMissing.withLock({ Self.isDue(source, &$0, now) }) else { return }
        let name = self.names.withLock { $0[source] } ?? ""
        self.logger.notice(
            """
            a sender is not proven: it makes its secret itself, and only one made here is there; bring the sender's in: \
            dialtone source rotate --secret-file
            """,
            metadata: ["source": "\(source.rawValue.lowercase)", "name": "\(name)"])
    }

    /// Whether a minute has passed since a source was told of. Notes that it is told of now.
    private static func isDue(
        _ source: SourceID, _ told: inout [SourceID: ContinuousClock.Instant], _ now: ContinuousClock.Instant
    ) -> Bool {
        if let last = told[source], last.duration(to: now) < .seconds(60) { return false }
        if told.count > Self.room { told = [:] }
        told[source] = now
        return true
    }

    /// With more sources than this the idle ones are forgotten.
    private static let room = 10_000

    /// Logs the counts of each source since the last time.
    func tell(now: ContinuousClock.Instant = .now) {
        let told = self.budgets.withLock { budgets in
            let told = budgets.compactMap { source, budget in budget.takeCounts().map { (source, $0) } }
            if budgets.count > Self.room {
                budgets = budgets.filter { _, budget in !budget.isIdle(now: now) }
                self.names.withLock { names in names = names.filter { budgets[$0.key] != nil } }
            }
            return told
        }
        let names = self.names.withLock { $0 }
        for (source, counts) in told {
            // An identity provider sends much that asks nothing. That alone is no news.
            self.logger.log(
                level: counts.refused > 0 || counts.quarantined > 0 ? .notice : .info,
                "deliveries of a source were not used",
                metadata: [
                    "source": "\(source.rawValue.lowercase)", "name": "\(names[source] ?? "")",
                    "ignored": "\(counts.ignored)", "refused": "\(counts.refused)",
                    "quarantined": "\(counts.quarantined)",
                ])
        }
    }
}
