// SPDX-License-Identifier: Apache-2.0
// The heart of the promise: given a job and what happened, the one safe next step. Pure, total, no default clause.

package import Foundation
import Model

/// The numbers the rules need.
package struct LifeRules: Sendable {
    /// From the moment a create may have left us until an empty answer counts.
    package var settle: Duration
    /// Tries that count before a job is buried.
    package var maximumAttempts: Int
    /// Vanished workers before a job is buried.
    package var maximumCrashes: Int

    package init(settle: Duration = .seconds(40), maximumAttempts: Int = 20, maximumCrashes: Int = 3) {
        self.settle = settle
        self.maximumAttempts = maximumAttempts
        self.maximumCrashes = maximumCrashes
    }
}

extension JobLife {
    /// The job after `event`, and what to do. `jitter` is a random number in 0..<1.
    package func step(
        _ event: JobEvent, rules: LifeRules, now: Date, jitter: Double
    ) -> (job: JobLife, effects: [JobEffect]) {
        var job = self
        let effects = job.react(to: event, rules: rules, now: now, jitter: jitter)
        return (job, effects)
    }

    private mutating func react(to event: JobEvent, rules: LifeRules, now: Date, jitter: Double) -> [JobEffect] {
        switch event {
        case .claimed:
            return self.begin(rules)
        case .created(let id):
            return self.own(id)
        case .notSent:
            return [self.retry(jitter, isCharged: false)]
        case .rateLimited(let wait):
            return [.schedule(.scheduled, delay: wait + Self.spread(jitter), isCharged: false, dropsTag: false)]
        case .refused:
            return [.schedule(.scheduled, delay: .seconds(5) + Self.spread(jitter), isCharged: false, dropsTag: false)]
        case .tagFull:
            return [.schedule(.scheduled, delay: .zero, isCharged: false, dropsTag: true)]
        case .tenantRejected:
            return [.schedule(.scheduled, delay: .seconds(60) + Self.spread(jitter), isCharged: false, dropsTag: false)]
        case .rejected:
            return [.bury("rejected")]
        case .unknown:
            self.isDoubtful = true
            self.empties = 0
            return [.doubt(delay: .seconds(1) + Self.spread(jitter), settle: rules.settle)]
        case .looked(let found):
            return self.looked(found, rules: rules, now: now, jitter: jitter)
        case .lookFailed(let wait):
            // A failed look-up proves nothing and never permits a create.
            return [.doubt(delay: (wait ?? self.backOff) + Self.spread(jitter), settle: nil)]
        case .deleted:
            return [.close]
        case .deleteFailed(let wait):
            self.attempts += 1
            let delay = (wait ?? self.backOff) + Self.spread(jitter)
            return [.schedule(.scheduled, delay: delay, isCharged: true, dropsTag: false)]
        }
    }

    /// What a claimed job may do first. Doubt looks before anything else, whatever is wanted.
    private func begin(_ rules: LifeRules) -> [JobEffect] {
        if self.phase == .looking || self.isDoubtful { return [.look] }
        return self.act(rules)
    }

    /// Wanted against actual, when nothing is in doubt.
    private func act(_ rules: LifeRules) -> [JobEffect] {
        switch (self.recorded, self.isWanted) {
        case (.some, true): [.end]
        case (.some(let id), false): [.delete(id)]
        case (.none, false): [.close]
        case (.none, true):
            self.attempts >= rules.maximumAttempts ? [.bury("too_many_attempts")] : [.create]
        }
    }

    /// Evidence of a credential: recorded whatever is wanted now; the transaction decides what becomes of it.
    private mutating func own(_ id: ProviderID) -> [JobEffect] {
        self.recorded = self.recorded ?? id
        return [.own(id)]
    }

    private mutating func looked(_ found: [ProviderID], rules: LifeRules, now: Date, jitter: Double) -> [JobEffect] {
        if let recorded = self.recorded {
            // The ledger's own is the canonical one; whatever else bears the name is surplus.
            let others = found.filter { $0 != recorded }
            return (others.isEmpty ? [] : [.surplus(others)]) + self.act(rules)
        }
        if let first = found.first {
            let others = Array(found.dropFirst())
            return (others.isEmpty ? [] : [.surplus(others)]) + self.own(first)
        }
        self.empties += 1
        let isQuiet = self.quietUntil.map { $0 <= now } ?? true
        // A job never in doubt (revived by an operator) needs one empty answer; a doubtful one two, the second when quiet.
        guard !self.isDoubtful || (self.empties >= 2 && isQuiet) else {
            let left = self.quietUntil.map { Duration.seconds(max(0, $0.timeIntervalSince(now))) } ?? .zero
            return [.doubt(delay: max(.seconds(1), left) + Self.spread(jitter), settle: nil)]
        }
        guard self.isWanted else { return [.close] }
        guard self.crashes < rules.maximumCrashes else { return [.bury("crashed_too_often")] }
        self.empties = 0
        self.phase = .armed
        return [.rearm, .create]
    }

    private func retry(_ jitter: Double, isCharged: Bool) -> JobEffect {
        .schedule(.scheduled, delay: self.backOff + Self.spread(jitter), isCharged: isCharged, dropsTag: false)
    }

    /// 0.5, 1, 2, 4 … 60 seconds.
    private var backOff: Duration {
        .milliseconds(min(60_000, 500 << min(self.attempts + self.crashes, 7)))
    }

    /// Up to a second, so that jobs that failed together do not come back together.
    private static func spread(_ jitter: Double) -> Duration { .milliseconds(Int(jitter * 1000)) }
}
