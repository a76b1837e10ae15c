// SPDX-License-Identifier: Apache-2.0
// The changes of the simulated ledger that time and a new server make due.

import Model

extension Ledger {
    /// Makes scheduled jobs claimable whose time has come, as `Rescue.promote` does.
    mutating func promote(now: Int) {
        for index in self.jobs.indices where self.jobs[index].state == .scheduled && self.jobs[index].runAt <= now {
            self.jobs[index].state = self.jobs[index].isDoubtful ? .inDoubt : .queued
        }
    }

    /// Queues jobs that were set aside when their scope is stopped no more, as `LetGo` does.
    mutating func letGo(now: Int) {
        guard self.stoppedUntil <= now else { return }
        for index in self.jobs.indices where self.jobs[index].isAside {
            self.jobs[index].isAside = false
            self.jobs[index].state = self.jobs[index].isDoubtful ? .inDoubt : .queued
            self.jobs[index].runAt = now
        }
    }

    /// Sets queued jobs aside that would create in a stopped scope, as `SetAside` does.
    mutating func setAside(now: Int) {
        guard self.stoppedUntil > now else { return }
        for index in self.jobs.indices where self.jobs[index].state == .queued {
            let job = self.jobs[index]
            guard let user = self.users[job.user], user.wanted == .live, user.generation == job.generation,
                !self.credentials.contains(where: { $0.user == job.user && $0.generation == job.generation })
            else { continue }
            self.jobs[index].state = .scheduled
            self.jobs[index].runAt = Int.max / 2
            self.jobs[index].isAside = true
        }
    }

    /// Tries dead jobs again whose time has come, as `DeadJob.tryAgain` does.
    ///
    /// Returns how many there were.
    mutating func tryAgain(now: Int, _ mutant: Mutant?) -> Int {
        self.lock(.users, .jobs)
        let due = self.jobs.indices.filter { self.jobs[$0].state == .dead && self.jobs[$0].runAt <= now }
        for index in due { self.revive(index, now, mutant) }
        return due.count
    }

    /// Lets a dead job look now. Its tries begin anew, and its user has not failed any more.
    mutating func revive(_ index: Int, _ now: Int, _ mutant: Mutant?) {
        self.jobs[index].state = .inDoubt
        if mutant == .deadForgetsDoubt {
            self.jobs[index].state = .queued
            self.jobs[index].isDoubtful = false
            self.jobs[index].quietUntil = nil
        }
        self.jobs[index].runAt = now
        self.jobs[index].attempts = 0
        self.jobs[index].crashes = 0
        self.jobs[index].failures = 0
        let user = self.jobs[index].user
        guard let row = self.users[user], row.status == .failed else { return }
        self.users[user]?.status = row.wanted == .live ? .pending : .revoking
    }

    /// Puts jobs in doubt whose lease ran out or whose worker is known to be gone, as `Rescue.expiredLeases` does.
    mutating func rescue(now: Int, landingTime: Int, gone: Set<Int>) {
        for index in self.jobs.indices {
            let job = self.jobs[index]
            guard job.state == .armed || job.state == .looking,
                job.leaseUntil < now || gone.contains(job.worker ?? -1)
            else { continue }
            let isCrash = job.state == .armed || gone.contains(job.worker ?? -1)
            self.putInDoubt(index, job.leaseUntil, isCrash: isCrash, landingTime: landingTime, now: now)
        }
    }

    /// Follows the name of a create whose outcome is unknown, as `FollowedDoubt.begin` does.
    mutating func follow(_ job: Job, _ now: Int) {
        self.doubts.removeAll { $0.user == job.user && $0.generation == job.generation }
        self.doubts.append(
            Doubt(user: job.user, generation: job.generation, doubtedAt: now, dueAt: now + Times.followPause))
    }

    private mutating func putInDoubt(_ index: Int, _ leaseUntil: Int, isCrash: Bool, landingTime: Int, now: Int) {
        let isArmed = self.jobs[index].state == .armed
        self.jobs[index].state = .inDoubt
        self.jobs[index].isDoubtful = true
        self.jobs[index].epoch += 1
        self.jobs[index].worker = nil
        self.jobs[index].crashes += isCrash ? 1 : 0
        self.jobs[index].runAt = now
        if isArmed { self.follow(self.jobs[index], now) }
        self.jobs[index].quietUntil = max(self.jobs[index].quietUntil ?? 0, leaseUntil + landingTime)
    }

    enum Change { case restart, failover, restore }

    /// Takes note of another server, as `Incarnation.adopt` does. From now on every create looks first. After a
    /// fail-over commits may have been lost, so nothing is absent before a quiet time. A mere restart leaves one that
    /// is ahead.
    mutating func adopt(_ start: Int, _ change: Change, lease: Int, landingTime: Int, now: Int) {
        self.started = start
        self.changedAt = now
        self.isStopped = self.isStopped || change == .restore
        for index in self.tags.indices { self.tags[index].dueAt = now }
        switch change {
        case .restart: self.quietAfterChange = self.quietAfterChange.flatMap { $0 > now ? $0 : nil }
        case .failover, .restore: self.quietAfterChange = now + lease + landingTime
        }
        for index in self.jobs.indices {
            switch self.jobs[index].state {
            case .armed, .looking: self.jobs[index].leaseUntil = now + lease
            case .inDoubt, .queued, .scheduled, .dead: break
            }
        }
    }

    /// Gives a job to each user who has a credential to delete and no job, as `ForgottenDeletes` does. A dead job turns
    /// to that credential. Housekeeping repairs nothing else: the rest is the sweep's.
    mutating func enqueueForgotten(now: Int) {
        let due = self.credentials.filter { $0.status == .closing && ($0.closeAfter ?? 0) <= now }
        for credential in due.sorted(by: { ($0.user, $0.generation) < ($1.user, $1.generation) }) {
            guard let index = self.jobIndex(ofUser: credential.user) else {
                self.enqueue(credential.user, now, generation: credential.generation)
                continue
            }
            guard self.jobs[index].state == .dead, self.jobs[index].generation != credential.generation else {
                continue
            }
            self.jobs[index].generation = credential.generation
            self.jobs[index].state = self.jobs[index].isDoubtful ? .inDoubt : .queued
            self.jobs[index].mustLook = true
            self.jobs[index].runAt = now
            self.jobs[index].attempts = 0
            self.jobs[index].crashes = 0
            self.jobs[index].failures = 0
        }
    }

    /// Returns the users whose actual state is not the wanted one and who have no job that would change it. The job of
    /// a user who has failed is dead. `isSweeps` includes revoked users with a credential that is to be deleted again,
    /// whom housekeeping sees too.
    func forgotten(isSweeps: Bool) -> [Int] {
        self.users.keys.filter { key in
            guard let user = self.users[key], self.jobIndex(ofUser: key) == nil else { return false }
            guard user.wanted == .live else {
                return user.status != .revoked
                    || self.credentials.contains {
                        $0.user == key && ($0.status == .active || isSweeps && $0.status == .closing)
                    }
            }
            return !self.has(user.generation, of: key)
        }
    }
}
