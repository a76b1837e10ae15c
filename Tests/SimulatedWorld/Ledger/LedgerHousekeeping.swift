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

    private mutating func putInDoubt(_ index: Int, _ leaseUntil: Int, isCrash: Bool, landingTime: Int, now: Int) {
        self.jobs[index].state = .inDoubt
        self.jobs[index].isDoubtful = true
        self.jobs[index].epoch += 1
        self.jobs[index].worker = nil
        self.jobs[index].crashes += isCrash ? 1 : 0
        self.jobs[index].runAt = now
        self.jobs[index].empties = 0
        self.jobs[index].quietUntil = max(self.jobs[index].quietUntil ?? 0, leaseUntil + landingTime)
    }

    enum Change { case restart, failover }

    /// Takes note of another start of the server, as `Incarnation.adopt` does. From now on every create looks first.
    /// After a fail-over every create looks twice, because commits may have been lost.
    mutating func adopt(_ start: Int, _ change: Change, lease: Int, landingTime: Int, now: Int) {
        self.started = start
        self.looksFirst = true
        self.changedAt = now
        if change == .failover || self.looksTwice {
            self.looksTwice = true
            self.quietAfterChange = now + lease + landingTime
        }
        for index in self.jobs.indices {
            switch self.jobs[index].state {
            case .armed, .looking: self.jobs[index].leaseUntil = now + lease
            case .inDoubt where self.jobs[index].isDoubtful && change == .failover:
                self.jobs[index].quietUntil = now + lease + landingTime
                self.jobs[index].empties = 0
            case .inDoubt, .queued, .scheduled: break
            }
        }
    }

    /// Gives a job to each user who has a credential to delete and no job, as `enqueueForgotten` of housekeeping does.
    /// Housekeeping repairs nothing else: the rest is the sweep's.
    mutating func enqueueForgotten(now: Int) {
        let due = self.credentials.filter { $0.status == .closing && ($0.closeAfter ?? 0) <= now }
        for credential in due.sorted(by: { ($0.user, $0.generation) < ($1.user, $1.generation) })
        where self.jobIndex(ofUser: credential.user) == nil {
            self.enqueue(credential.user, now, generation: credential.generation)
        }
    }

    /// Returns the users whose actual state is not the wanted one and who have no job that would change it. A failed
    /// user waits for an operator. `isSweeps` includes revoked users with a credential that is to be deleted again,
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
            return user.status != .failed && !self.has(user.generation, of: key)
        }
    }
}
