// SPDX-License-Identifier: Apache-2.0
// How simulated workers take jobs and put them back: each method is one transaction of the production SQL.

import Lifecycle
import Model

extension ModelDatabase {
    /// As `ClaimedJob.claim`: the next job in this state that is due.
    mutating func claim(
        _ state: JobState, worker: Int, started: Int, lease: Int, now: Int, _ mutant: Mutant?
    ) -> (ModelLease, JobLife, user: Int, overlap: Int)? {
        guard self.started == started,
            let place = self.jobs.indices.first(where: { place in
                self.jobs[place].state == state && (state == .queued || self.jobs[place].runAt <= now)
            }), let user = self.users[self.jobs[place].user]
        else { return nil }
        let to: JobState = state == .queued ? .armed : .looking
        self.jobs[place].state = to
        self.jobs[place].epoch += 1
        self.jobs[place].worker = worker
        self.jobs[place].leaseUntil = now + lease
        let job = self.jobs[place]
        let recorded = self.credentials.first {
            $0.user == job.user && $0.generation == job.generation && $0.status != .deleted
        }
        let isLaterOpen =
            user.wanted == .live && user.status != .failed && user.generation > job.generation
            && !self.has(user.generation, of: job.user)
        let quiet = max(job.quietUntil ?? Int.min, self.looksTwice ? self.quietAfterChange : Int.min)
        let life = JobLife(
            generation: job.generation, phase: to == .armed ? .armed : .looking, wanted: user.wanted,
            wantedGeneration: user.generation, recorded: recorded.map { ProviderID(rawValue: "\($0.id)") },
            isOutdatedButServing: mutant != .deletedBeforeReplaced && isLaterOpen
                && recorded.map { $0.status == .active || ($0.closeAfter ?? 0) > now } ?? false,
            hasOtherGoals: isLaterOpen
                || self.credentials.contains {
                    $0.user == job.user && $0.generation != job.generation
                        && ($0.status == .closing && ($0.closeAfter ?? 0) <= now
                            || $0.status == .active && user.wanted == .gone)
                },
            mayServeFor: recorded?.closeAfter.map { .milliseconds($0 - now) }, isDoubtful: job.isDoubtful,
            attempts: job.attempts, crashes: job.crashes, failures: job.failures,
            empties: job.empties, quietIn: quiet == Int.min ? nil : .milliseconds(quiet - now),
            trust: LedgerTrust(
                looksFirst: self.looksFirst || !self.strays.isEmpty, looksTwice: self.looksTwice, isStopped: false))
        return (ModelLease(job: job.id, epoch: job.epoch, worker: worker, state: to), life, job.user, job.overlap)
    }

    /// Whether this generation is recorded and not deleted.
    func has(_ generation: Generation, of user: Int) -> Bool {
        self.credentials.contains { $0.user == user && $0.generation == generation && $0.status != .deleted }
    }

    // MARK: Moves

    /// Where the job stands that this lease still holds.
    mutating func held(_ lease: ModelLease, _ mutant: Mutant?) -> Int? {
        guard let place = self.jobs.firstIndex(where: { $0.id == lease.job }) else { return nil }
        let job = self.jobs[place]
        let isHolder = job.epoch == lease.epoch && job.worker == lease.worker && job.state == lease.state
        let isLetThrough =
            switch mutant {
            case .fenceRemoved: true
            case .fenceByEpochAlone: job.epoch == lease.epoch
            default: isHolder
            }
        return isLetThrough ? place : nil
    }

    /// As `JobQueue.move`.
    mutating func move(
        _ lease: ModelLease, to state: JobState, delay: Int, isCharged: Bool, life: JobLife, isFailure: Bool,
        landingTime: Int?, now: Int, _ mutant: Mutant?
    ) {
        guard let place = self.held(lease, mutant) else { return }
        if mutant == .doubtNotSticky && state == .inDoubt && life.phase == .looking && isFailure {
            self.jobs[place].state = .queued
            self.jobs[place].isDoubtful = false
            return
        }
        self.jobs[place].state = state
        self.jobs[place].worker = nil
        self.jobs[place].runAt = now + delay
        self.jobs[place].attempts += isCharged ? 1 : 0
        self.jobs[place].failures = isFailure ? self.jobs[place].failures + 1 : 0
        self.jobs[place].empties = life.empties
        self.jobs[place].isDoubtful = self.jobs[place].isDoubtful || life.isDoubtful
        if let landingTime { self.jobs[place].quietUntil = max(self.jobs[place].quietUntil ?? 0, now + landingTime) }
    }

    /// As `JobQueue.rearm`: the new epoch, or nil.
    mutating func rearm(_ lease: ModelLease, lease length: Int, landingTime: Int, now: Int, _ mutant: Mutant?) -> Int? {
        guard let place = self.held(lease, mutant) else { return nil }
        self.jobs[place].state = .armed
        self.jobs[place].epoch += 1
        if mutant != .emptiesNotReset { self.jobs[place].empties = 0 }
        self.jobs[place].failures = 0
        self.jobs[place].leaseUntil = now + length
        self.jobs[place].quietUntil = now + length + landingTime
        return self.jobs[place].epoch
    }
}
