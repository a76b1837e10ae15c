// SPDX-License-Identifier: Apache-2.0
// The heart of the promise: given a job and what happened, the one safe next step. Pure, total, no default clause.

import Model

extension JobLife {
    /// The job after `event`, and what to do. `jitter` is a random number in 0..<1.
    ///
    /// A charged try counts as one of `attempts`, which are limited. `JobLife` says what the counters count.
    package func step(_ event: JobEvent, rules: LifeRules, jitter: Double) -> (job: JobLife, effects: [JobEffect]) {
        var job = self
        let effects = job.react(to: event, rules: rules, jitter: jitter)
        return (job, effects)
    }

    private mutating func react(to event: JobEvent, rules: LifeRules, jitter: Double) -> [JobEffect] {
        switch event {
        case .claimed:
            return self.begin(rules, jitter)
        case .created(let id):
            return self.own(id)
        case .notSent:
            return [self.putBack(self.backOff, jitter)]
        case .rateLimited(let wait):
            return [self.letOtherGoalsGoFirst(.zero) ?? self.putBack(wait, jitter)]
        case .refused(let wait), .tenantRejected(let wait):
            // Every user of a tenant may wait for the same moment, and for days.
            let pause = max(wait, self.refusalPause)
            return [self.letOtherGoalsGoFirst(.zero) ?? self.putBack(pause + pause * jitter, jitter)]
        case .tagFull(let isCounted):
            return [.schedule(delay: .zero, isCharged: !isCounted, dropsTag: true)]
        case .rejectedUnclear:
            let delay = max(.seconds(3), self.backOff)
            return [.schedule(delay: delay + Self.upToASecond(jitter), isCharged: true, dropsTag: false)]
        case .rejected:
            return [.giveUp("rejected")]
        case .unknown:
            return [self.becomeDoubtful(rules, jitter)]
        case .looked(let found):
            return self.looked(found, rules, jitter)
        case .lookFailed(let wait):
            // A failed look-up proves nothing and never permits a create.
            return [self.lookAgain(wait ?? self.backOff, jitter)]
        case .deleted(let id):
            return [.closeGeneration(id)]
        case .deleteFailed(let wait):
            let delay = wait ?? self.backOff
            return [self.letOtherGoalsGoFirst(delay + Self.upToASecond(jitter)) ?? self.putBack(delay, jitter)]
        }
    }

    /// The create may have landed: from now on the job looks before anything else, and an empty look proves nothing
    /// yet.
    private mutating func becomeDoubtful(_ rules: LifeRules, _ jitter: Double) -> JobEffect {
        self.isDoubtful = true
        return .doubt(
            delay: .milliseconds(500) + Self.upToASecond(jitter), isCharged: true, landingTime: rules.landingTime)
    }

    /// What a claimed job may do first. A job in doubt looks before anything else, whatever is wanted.
    private func begin(_ rules: LifeRules, _ jitter: Double) -> [JobEffect] {
        if self.phase == .looking || self.isDoubtful { return [.look] }
        if self.trust.looksFirst && self.recorded == nil { return [.look] }
        return self.act(rules, jitter)
    }

    /// Wanted against actual, when nothing is in doubt.
    private func act(_ rules: LifeRules, _ jitter: Double) -> [JobEffect] {
        switch (self.recorded, self.isWanted) {
        case (.some, true): [.finish]
        // Make the wanted credential before deleting an older one that still serves: until then the older one is all
        // the user has. A credential that a revoke has closed is deleted first.
        case (.some, false) where self.isOutdatedButServing: [.goToOtherGoal(after: .zero)]
        case (.some, false) where self.wanted == .live && self.mayServeFor.map { $0 > .zero } ?? false:
            [.schedule(delay: self.mayServeFor ?? .zero, isCharged: false, dropsTag: false)]
        // While deletes are stopped, nobody waits for one.
        case (.some, false) where self.trust.isStopped:
            [self.letOtherGoalsGoFirst(.seconds(30)) ?? self.putBack(.seconds(30), jitter)]
        case (.some(let id), false): [.delete(id)]
        case (.none, false): [.closeGeneration(nil)]
        case (.none, true): self.isExhausted(rules).map { [.giveUp($0)] } ?? [.create]
        }
    }

    /// Evidence of a credential is recorded whatever is wanted now. The transaction decides what becomes of it.
    private mutating func own(_ id: ProviderID) -> [JobEffect] {
        self.recorded = self.recorded ?? id
        return [.record(id)]
    }

    private mutating func looked(_ found: [ProviderID], _ rules: LifeRules, _ jitter: Double) -> [JobEffect] {
        if let recorded = self.recorded {
            // The credential that the ledger records is the canonical one. Any other of the same name is surplus.
            let others = found.filter { $0 != recorded }
            return (others.isEmpty ? [] : [.surplus(others)]) + self.act(rules, jitter)
        }
        if let first = found.first {
            let others = found.filter { $0 != first }
            return (others.isEmpty ? [] : [.surplus(others)]) + self.own(first)
        }
        guard self.mayProveAbsence else {
            let isTimeless = self.isDoubtful && self.quietIn == nil
            return [
                .doubt(
                    delay: max(.seconds(1), self.quietIn ?? .zero) + Self.upToASecond(jitter), isCharged: false,
                    landingTime: isTimeless ? rules.landingTime : nil)
            ]
        }
        guard self.isWanted else { return [.closeGeneration(nil)] }
        if let reason = self.isExhausted(rules) { return [.giveUp(reason)] }
        self.phase = .armed
        return [.renewLease, .create]
    }

    private func isExhausted(_ rules: LifeRules) -> String? {
        if self.crashes >= rules.maximumCrashes { return "crashed_too_often" }
        return self.attempts >= rules.maximumAttempts ? "too_many_attempts" : nil
    }

    /// The job waits, uncharged. One that was ever in doubt looks first when it comes back.
    private func putBack(_ delay: Duration, _ jitter: Double) -> JobEffect {
        .schedule(delay: delay + Self.upToASecond(jitter), isCharged: false, dropsTag: false)
    }

    /// If something else is due for this user, that goes first. A job in doubt never makes way: only a look can end its
    /// doubt.
    private func letOtherGoalsGoFirst(_ delay: Duration) -> JobEffect? {
        self.hasOtherGoals && (!self.isDoubtful || self.recorded != nil) ? .goToOtherGoal(after: delay) : nil
    }

    private func lookAgain(_ delay: Duration, _ jitter: Double) -> JobEffect {
        .doubt(delay: delay + Self.upToASecond(jitter), isCharged: false, landingTime: nil)
    }

    /// 0, 30, 60, 120 seconds: how long a job leaves a provider alone that refuses it again and again.
    private var refusalPause: Duration { self.failures == 0 ? .zero : .seconds(min(120, 15 << min(self.failures, 3))) }

    /// 0.5, 1, 2, 4 … 60 seconds.
    package var backOff: Duration {
        .milliseconds(min(60_000, 500 << min(self.attempts + self.crashes + self.failures, 7)))
    }

    /// Up to a second, so that jobs that failed together do not come back together.
    private static func upToASecond(_ jitter: Double) -> Duration { .milliseconds(Int(jitter * 1000)) }
}
