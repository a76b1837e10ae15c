// SPDX-License-Identifier: Apache-2.0
// How proof of a credential gets into the simulated ledger, from any worker.

import Model

extension Ledger {
    /// Records a credential, as `Evidence.record` does. Returns whether it was recorded, and whether that was its job's
    /// end; nil when the ledger has no such user.
    ///
    /// The first statement locks the user, so the second sees all that was committed under the lock. `sight` is what a
    /// single statement would see that had waited for the lock; only the unique keys of `credentials` are always new.
    mutating func record(
        _ lease: Lease, user: Int, generation: Generation, id: Int, password: UInt64, tag: Int,
        overlap: Int, sight: Ledger?, now: Int, _ mutant: Mutant?
    ) -> (isRecorded: Bool, isEnded: Bool)? {
        if mutant == .jobsLockedBeforeUsers { self.lock(.jobs, .users) } else { self.lock(.users, .jobs) }
        guard let row = self.users[user] else { return nil }
        let held = self.held(lease, mutant)
        if mutant == .evidenceDropped && held == nil { return nil }
        // Read under the lock, because the user may have changed since the claim.
        let isWanted = mutant == .recheckRemoved || row.wanted == .live && row.generation == generation
        let seen = mutant == .recordedBeforeLocked ? sight ?? self : self
        let hasOtherGoals = seen.credentials.contains { $0.user == user && $0.status != .deleted }
        let isRefused =
            self.credentials.contains { $0.id == id || $0.user == user && $0.generation == generation }
            || seen.surplus.contains { $0.id == id }
            || seen.strays.contains { $0.id == id && $0.isRefused }
        guard !isRefused, isWanted || held != nil else { return (false, false) }
        self.credentials.append(
            Credential(
                user: user, generation: generation, id: id, password: password, tag: tag,
                status: isWanted ? .active : .closing, createdAt: now))
        self.strays.removeAll { $0.id == id && $0.isOpen }
        guard isWanted else { return (true, false) }
        self.users[user]?.status = .ready
        self.closeOlder(than: generation, of: user, at: now + overlap, mutant)
        guard let held, !hasOtherGoals || mutant == .recheckRemoved else { return (true, false) }
        self.jobs.remove(at: held)
        return (true, true)
    }

    private mutating func closeOlder(than generation: Generation, of user: Int, at time: Int, _ mutant: Mutant?) {
        for index in self.credentials.indices
        where self.credentials[index].user == user && self.credentials[index].generation < generation
            && self.credentials[index].status == .active && mutant != .oldGenerationNotClosed
        {
            self.credentials[index].status = .closing
            self.credentials[index].closeAfter = time
        }
    }

    /// Decides after `record`, as `FinishBatch.receive` does. A credential that was recorded gives its job the next
    /// goal. A credential that could not be recorded may be surplus, and its job looks again.
    mutating func decide(
        _ lease: Lease, isRecorded: Bool, user: Int, generation: Generation, id: Int, tag: Int, now: Int,
        _ mutant: Mutant?
    ) {
        self.lock(.users, .jobs)
        if isRecorded {
            self.chooseGoal(lease, now, mutant)
            return self.lookNow(user, now, mutant)
        }
        guard let row = self.users[user] else { return }
        // A generation that the ledger has forgotten is not surplus. The sweep finds it.
        let isTaken = self.credentials.contains { $0.user == user && $0.generation == generation }
        let isClosed = row.generation > generation || row.wanted == .gone && row.generation == generation
        let isKnown = self.credentials.contains { $0.id == id } || self.surplus.contains { $0.id == id }
        if !isKnown, isTaken || isClosed {
            self.surplus.append(Surplus(id: id, user: user, generation: generation, tag: tag, foundAt: now))
            self.strays.removeAll { $0.id == id }
        }
        self.openNext(user, mutant)
        self.lookAgain(lease, mutant, now)
        self.lookNow(user, now, mutant)
    }

    /// Lets the user's dead job look now, as `DeadJob.lookNow` does.
    private mutating func lookNow(_ user: Int, _ now: Int, _ mutant: Mutant?) {
        guard let index = self.jobIndex(ofUser: user), self.jobs[index].state == .dead else { return }
        self.revive(index, now, mutant)
    }
}
