// SPDX-License-Identifier: Apache-2.0
// A worker takes tags that are due, visits each, and says what it found.

import Foundation
import Lifecycle
import Logging
import Model
import Postgres
import ProviderLimits
import Synchronization
import Telemetry

/// What a worker remembers from visit to visit.
struct VisitMemory: Sendable {
    /// Visits in a row that found nothing to say that this is the account of the ledger.
    var unproven = 0
    /// When tenants without a tag got one last; nil: not yet.
    var firstTagsAt: ContinuousClock.Instant?
}

extension OnboardingWorker {
    /// Tags are taken for two minutes. So long after they were taken no further visit begins: where many nodes share the
    /// sweep's pace, it would not end before another node takes the tag.
    private static let longestTake: Duration = .seconds(60)

    /// Takes up to five tags that are due and visits them. Returns how many.
    ///
    /// Cancelled here: the tags that are left are due again two minutes after they were taken.
    func visitDueTags() async throws -> Int {
        let provider = self.provider.forSweep(.visits)
        guard self.identity.terms != nil, try await provider.allowsCalls() else { return 0 }
        let sweep = Sweep(
            pool: self.pool, provider: provider, names: self.names, lease: self.configuration.lease,
            landingTime: self.landingTimeOfCreates, options: SweepOptions(), interval: self.configuration.sweepInterval)
        try await self.openFirstTags()
        let takenAt = ContinuousClock.now
        let tags = try await self.pool.query(DueTag.take(interval: sweep.interval)).map(DueTag.read)
        guard !tags.isEmpty else { return 0 }
        let inOrder = tags.filter(\.isWanted) + tags.filter { !$0.isWanted }
        var report = SweepReport()
        for tag in inOrder where !Task.isCancelled && .now < takenAt + Self.longestTake {
            // Each began when it was taken, which is before its list.
            do {
                let result = try await sweep.visit(tag, isAsked: false, &report)
                report.remembered += result.remembered
                await self.note(result.outcome, of: tag)
            } catch let error as PostgresError where error.code == .server && !error.isUnavailable {
                // The trouble of one tag does not keep the others from being visited.
                self.throttledLog.log("a tag cannot be compared", scope: tag.tag, ["error": "\(error)"])
            }
        }
        try await self.walkForOwners(with: sweep, &report)
        self.metrics.secondCredentials.add(report.remembered)
        self.tell(report)
        return tags.count
    }

    /// A ledger that lost commits may know a tenant and none of its tags.
    private func openFirstTags() async throws {
        let isDue = self.visits.withLock { visits -> Bool in
            if let last = visits.firstTagsAt, last + .seconds(60) > .now { return false }
            visits.firstTagsAt = .now
            return true
        }
        if isDue { _ = try await self.pool.query(DueTag.first(of: nil)) }
    }

    private func walkForOwners(with sweep: Sweep, _ report: inout SweepReport) async throws {
        let strays = try await self.pool.query(Stray.takeForWalk(limit: 1000)).map(Stray.read)
        let result = try await StrayOwners(sweep: sweep).settle(strays, isEverywhere: false, &report)
        report.remembered += result.remembered
        report.strays += result.strays.count
    }

    // MARK: News

    /// Three visits in a row without a witness let the calls of the sweep rest: the key may be of another organisation.
    func note(_ outcome: VisitOutcome, of tag: DueTag) async {
        if case .listed(let listed) = outcome, listed.isInexact {
            self.throttledLog.log(
                "the provider's filter by tag is not exact; its lists prove presence and count nothing", level: .error,
                scope: tag.tag, ["tag": "\(tag.tag)"])
        }
        let isTooLong = self.visits.withLock { visits -> Bool in
            switch outcome {
            case .unproven: visits.unproven += 1
            case .listed: visits.unproven = 0
            case .agreed, .notQuiet, .failed, .heldBack: break
            }
            guard visits.unproven >= WitnessRest.visits else { return false }
            visits.unproven = 0
            return true
        }
        if isTooLong {
            await self.provider.limits.pause(.sweep, for: WitnessRest.length, because: WitnessRest.reason)
        }
    }

    private func tell(_ report: SweepReport) {
        if report.unproven > 0 {
            self.logger.error(
                "the provider knows nothing of what the ledger has; is the key that of another organisation?",
                metadata: ["expected": "\(report.expected)", "seen": "\(report.seen)"])
        }
        let found = report.surplus + report.reopened + report.missing + report.reprovisioned + report.strays
        let isNews = found > 0 || !report.stopped.isEmpty
        self.logger.log(
            level: report.stopped.isEmpty ? (isNews ? .notice : .debug) : .error,
            report.stopped.isEmpty
                ? "tags were visited" : "a visit would change too much; run dialtone sweep --dry-run",
            metadata: [
                "listed": "\(report.listed)", "surplus": "\(report.surplus)", "missing": "\(report.missing)",
                "reprovisioned": "\(report.reprovisioned)", "strays": "\(report.strays)",
                "failed": "\(report.failedLists)", "stopped": "\(report.stopped.joined(separator: " "))",
            ])
    }
}
