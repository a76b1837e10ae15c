// SPDX-License-Identifier: Apache-2.0
// How a worker that holds a simulated job puts it back, or renews its lease before a create.

import Lifecycle
import Model

extension Ledger {
    /// Returns where the job stands that this lease still holds; nil when the lease is out of date. The mutants let
    /// some out-of-date leases through.
    func held(_ lease: Lease, _ mutant: Mutant?) -> Int? {
        guard let index = self.jobs.firstIndex(where: { $0.id == lease.job }) else { return nil }
        let job = self.jobs[index]
        let isHolder = job.epoch == lease.epoch && job.worker == lease.worker && job.state == lease.state
        let isLetThrough =
            switch mutant {
            case .fenceRemoved: true
            case .fenceByEpochAlone: job.epoch == lease.epoch
            default: isHolder
            }
        return isLetThrough ? index : nil
    }

    /// Puts the job back into `state`, as `Transition.write` does. A charged try counts towards the limit of tries.
    mutating func move(
        _ lease: Lease, to state: JobState, delay: Int, isCharged: Bool, dropsTag: Bool, life: JobLife,
        isFailure: Bool, landingTime: Int?, now: Int, _ mutant: Mutant?
    ) {
        guard let index = self.held(lease, mutant) else { return }
        if mutant == .doubtNotSticky && state == .inDoubt && life.phase == .looking && isFailure {
            self.jobs[index].state = .queued
            self.jobs[index].isDoubtful = false
            return
        }
        if lease.state == .armed && landingTime != nil && life.isDoubtful { self.follow(self.jobs[index], now) }
        self.jobs[index].state = state
        self.jobs[index].worker = nil
        if dropsTag {
            self.isFull(self.jobs[index].tag)
            self.jobs[index].tag = nil
        }
        self.jobs[index].runAt = now + delay
        self.jobs[index].attempts += isCharged ? 1 : 0
        self.jobs[index].failures = isFailure ? self.jobs[index].failures + 1 : 0
        self.jobs[index].isDoubtful = self.jobs[index].isDoubtful || life.isDoubtful
        if let landingTime { self.jobs[index].quietUntil = max(self.jobs[index].quietUntil ?? 0, now + landingTime) }
    }

    /// Puts a job aside whose look has found absence, and whose scope is stopped, as `Transition.write` does with
    /// `waitsFor`. It looks again when it is let go.
    mutating func setAside(_ lease: Lease, life: JobLife, now: Int, _ mutant: Mutant?) {
        guard let index = self.held(lease, mutant) else { return }
        let isAwaited = self.jobs[index].isAwaited
        self.jobs[index].state = .scheduled
        self.jobs[index].worker = nil
        self.jobs[index].failures = 0
        self.jobs[index].isDoubtful = self.jobs[index].isDoubtful || life.isDoubtful
        if !self.jobs[index].isDoubtful { self.jobs[index].mustLook = true }
        self.jobs[index].isAside = !isAwaited
        self.jobs[index].runAt = isAwaited ? now : Int.max / 2
    }

    /// Gives the job a new epoch and lease, as `Lease.renewed` does. Returns the epoch; nil when the lease is out of
    /// date, or when the job was claimed in another era.
    mutating func rearm(
        _ lease: Lease, lease length: Int, landingTime: Int, isSameServer: Bool, now: Int, _ mutant: Mutant?
    ) -> Int? {
        guard isSameServer || mutant == .rearmAnywhere, let index = self.held(lease, mutant) else { return nil }
        self.jobs[index].state = .armed
        self.jobs[index].epoch += 1
        self.jobs[index].failures = 0
        self.jobs[index].leaseUntil = now + length
        self.jobs[index].quietUntil = now + length + landingTime
        return self.jobs[index].epoch
    }

    /// Puts back the jobs of a lost claim that are in no run, as `PutBack` does: in their place, with their doubt.
    ///
    /// A job is in a run when its id is, because its run may have armed it again. Returns how many went back.
    mutating func putBack(_ lost: LostClaim, held: [Lease], server: Int, now: Int, _ mutant: Mutant?) -> Int {
        guard self.started == lost.started, server == lost.started else { return 0 }
        let indices = self.jobs.indices.filter { index in
            let job = self.jobs[index]
            return job.worker == lost.worker && job.state == lost.state && job.leaseUntil >= now
                && !held.contains {
                    $0.job == job.id && (mutant != .putBackByEpoch || $0.epoch == job.epoch)
                }
        }
        for index in indices {
            let looks = self.jobs[index].isDoubtful || self.jobs[index].mustLook || lost.state == .looking
            self.jobs[index].state = looks ? .inDoubt : .queued
            self.jobs[index].epoch += 1
            self.jobs[index].worker = nil
        }
        return indices.count
    }
}
