// SPDX-License-Identifier: Apache-2.0
// What time does to the simulated ledger; each method is one transaction of the production SQL.

import Model

extension ModelDatabase {
    /// As `JobQueue.promote`.
    mutating func promote(now: Int) {
        for place in self.jobs.indices where self.jobs[place].state == .scheduled && self.jobs[place].runAt <= now {
            self.jobs[place].state = self.jobs[place].isDoubtful ? .inDoubt : .queued
        }
    }

    /// As `JobQueue.rescue`: leases that ran out, and those of workers known to be gone.
    mutating func rescue(now: Int, landingTime: Int, gone: Set<Int>) {
        for place in self.jobs.indices {
            let job = self.jobs[place]
            guard job.state == .armed || job.state == .looking,
                job.leaseUntil < now || gone.contains(job.worker ?? -1)
            else { continue }
            let isCrash = job.state == .armed || gone.contains(job.worker ?? -1)
            self.putInDoubt(place, job.leaseUntil, isCrash: isCrash, landingTime: landingTime, now: now)
        }
    }

    private mutating func putInDoubt(_ place: Int, _ leaseUntil: Int, isCrash: Bool, landingTime: Int, now: Int) {
        self.jobs[place].state = .inDoubt
        self.jobs[place].isDoubtful = true
        self.jobs[place].epoch += 1
        self.jobs[place].worker = nil
        self.jobs[place].crashes += isCrash ? 1 : 0
        self.jobs[place].runAt = now
        self.jobs[place].empties = 0
        self.jobs[place].quietUntil = max(self.jobs[place].quietUntil ?? 0, leaseUntil + landingTime)
    }

    enum Change { case restart, failover }

    /// As `Incarnation.adopt`.
    mutating func adopt(_ start: Int, _ change: Change, lease: Int, landingTime: Int, now: Int) {
        self.started = start
        self.looksFirst = true
        self.changedAt = now
        if change == .failover || self.looksTwice {
            self.looksTwice = true
            self.quietAfterChange = now + lease + landingTime
        }
        for place in self.jobs.indices {
            switch self.jobs[place].state {
            case .armed, .looking: self.jobs[place].leaseUntil = now + lease
            case .inDoubt where self.jobs[place].isDoubtful && change == .failover:
                self.jobs[place].quietUntil = now + lease + landingTime
                self.jobs[place].empties = 0
            case .inDoubt, .queued, .scheduled: break
            }
        }
    }

    /// As `enqueueForgotten` of housekeeping: who has a credential to delete and no job that would. No more than that.
    mutating func enqueueForgotten(now: Int) {
        let due = self.credentials.filter { $0.status == .closing && ($0.closeAfter ?? 0) <= now }
        for credential in due.sorted(by: { ($0.user, $0.generation) < ($1.user, $1.generation) })
        where self.place(ofUser: credential.user) == nil {
            self.enqueue(credential.user, now, generation: credential.generation)
        }
    }

    /// Users whose wanted is not their actual state and who have no job that would change it. Who has failed waits for
    /// an operator. `isSweeps`: also who is revoked and has a credential that is to be deleted again, which
    /// housekeeping sees.
    func forgotten(isSweeps: Bool) -> [Int] {
        self.users.keys.filter { key in
            guard let user = self.users[key], self.place(ofUser: key) == nil else { return false }
            guard user.wanted == .live else {
                return user.status != .revoked
                    || self.credentials.contains {
                        $0.user == key && ($0.status == .active || isSweeps && $0.status == .closing)
                    }
            }
            return user.status != .failed && !self.has(user.generation, of: key)
        }
    }

    /// As `Surplus.due`: what may be deleted now.
    func dueSurplus(_ server: Int) -> [Int] {
        guard self.started == server, !self.looksFirst else { return [] }
        return self.surplus.filter { row in
            guard !row.isDeleted else { return false }
            guard !self.credentials.contains(where: { $0.id == row.id }) else { return false }
            if self.credentials.contains(where: { $0.user == row.user && $0.generation == row.generation }) {
                return true
            }
            guard let user = self.users[row.user] else { return false }
            return (user.generation > row.generation || user.wanted == .gone && user.generation == row.generation)
                && !self.jobs.contains { $0.user == row.user && $0.generation == row.generation }
        }.map(\.id)
    }

    mutating func surplusDeleted(_ id: Int) {
        for place in self.surplus.indices where self.surplus[place].id == id { self.surplus[place].isDeleted = true }
    }

    mutating func remember(_ ids: [Int], user: Int, generation: Generation) {
        for id in ids where !self.credentials.contains(where: { $0.id == id }) {
            if let place = self.surplus.firstIndex(where: { $0.id == id }) {
                self.surplus[place].isDeleted = false
            } else {
                self.surplus.append(Surplus(id: id, user: user, generation: generation))
            }
        }
    }
}
