// SPDX-License-Identifier: Apache-2.0
// How a simulated worker takes a job out of the ledger, with all that `step` must know of it.

import Lifecycle
import Model

/// A job that a worker has just claimed.
struct Claim {
    var lease: Lease
    var life: JobLife
    var user: Int
    var overlap: Int
    /// The shard in which the job holds a slot; nil when it will not create.
    var tag: Int?
}

extension Ledger {
    /// Claims the next job in this state that is due, as `ClaimedJob.claim` does. Returns nil when there is none, or
    /// when the worker knows another start of the server than the ledger.
    ///
    /// The statement locks jobs. Users and credentials are read without a lock, as `sight` has them, which is what the
    /// statement saw at its start. A job that was changed since then is left for the next claim.
    mutating func claim(
        _ state: JobState, worker: Int, started: Int, lease: Int, sight: Ledger? = nil, now: Int, _ mutant: Mutant?
    ) -> Claim? {
        let seen = sight ?? self
        guard self.started == started,
            let index = self.jobs.indices.first(where: { index in
                let job = self.jobs[index]
                return job.state == state && (state == .queued || job.runAt <= now)
                    && (sight == nil || seen.jobs.contains { $0.isSameClaim(as: job) })
            }), let user = seen.users[self.jobs[index].user]
        else { return nil }
        let to: JobState = state == .queued ? .armed : .looking
        self.jobs[index].state = to
        self.jobs[index].epoch += 1
        self.jobs[index].worker = worker
        self.jobs[index].leaseUntil = now + lease
        self.jobs[index].isAwaited = false
        let isRecorded = self.credentials.contains {
            $0.user == self.jobs[index].user && $0.generation == self.jobs[index].generation
        }
        if self.jobs[index].tag == nil, !isRecorded, user.wanted == .live,
            user.generation == self.jobs[index].generation
        {
            self.jobs[index].tag = self.takeSlot(now)
        }
        let job = self.jobs[index]
        return Claim(
            lease: Lease(job: job.id, epoch: job.epoch, worker: worker, state: to),
            life: seen.life(of: job, user, phase: to == .armed ? .armed : .looking, now, mutant), user: job.user,
            overlap: job.overlap, tag: job.tag)
    }

    private func life(of job: Job, _ user: User, phase: JobLife.Phase, _ now: Int, _ mutant: Mutant?) -> JobLife {
        let recorded = self.credentials.first {
            $0.user == job.user && $0.generation == job.generation && $0.status != .deleted
        }
        let isLaterOpen =
            user.wanted == .live && user.status != .failed && user.generation > job.generation
            && !self.has(user.generation, of: job.user)
        let mustLook = job.mustLook && user.generation == job.generation && mutant != .mustLookUnheeded
        let looksFirst = self.looksFirst || mustLook
        let unseenUntil = looksFirst && mutant != .lookedOnceAfterLoss ? self.quietAfterChange : nil
        let quiet = max(job.quietUntil ?? Int.min, unseenUntil ?? Int.min)
        return JobLife(
            generation: job.generation, phase: phase, wanted: user.wanted,
            wantedGeneration: user.generation, recorded: recorded.map { ProviderID(rawValue: "\($0.id)") },
            isOutdatedButServing: mutant != .deletedBeforeReplaced && isLaterOpen
                && recorded.map { $0.status == .active || ($0.closeAfter ?? 0) > now } ?? false,
            hasOtherGoals: isLaterOpen || self.hasCredentialToDelete(beside: job, user, now),
            mayServeFor: recorded?.closeAfter.map { .milliseconds($0 - now) }, isDoubtful: job.isDoubtful,
            attempts: job.attempts, crashes: job.crashes, failures: job.failures,
            quietIn: quiet == Int.min ? nil : .milliseconds(mutant == .absentBeforeQuiet ? 0 : quiet - now),
            trust: LedgerTrust(
                looksFirst: looksFirst, isStopped: self.isStopped && mutant != .stoppedDeletes))
    }

    private func hasCredentialToDelete(beside job: Job, _ user: User, _ now: Int) -> Bool {
        self.credentials.contains {
            $0.user == job.user && $0.generation != job.generation
                && ($0.status == .closing && ($0.closeAfter ?? 0) <= now
                    || $0.status == .active && user.wanted == .gone)
        }
    }
}
