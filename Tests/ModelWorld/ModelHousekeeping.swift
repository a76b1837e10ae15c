// SPDX-License-Identifier: Apache-2.0
// What time and the sweep do to the simulated ledger; each method is one transaction of the production SQL.

import Model

extension ModelDatabase {
    /// As `JobQueue.promote`.
    mutating func promote(now: Int) {
        for place in self.jobs.indices where self.jobs[place].state == .scheduled && self.jobs[place].runAt <= now {
            self.jobs[place].state = self.jobs[place].isDoubtful ? .inDoubt : .queued
        }
    }

    /// As `JobQueue.rescue`: leases that ran out, and those of workers known to be gone.
    mutating func rescue(now: Int, settle: Int, gone: Set<Int>) {
        for place in self.jobs.indices {
            let job = self.jobs[place]
            guard job.state == .armed || job.state == .looking,
                job.leaseUntil < now || gone.contains(job.worker ?? -1)
            else { continue }
            let isCrash = job.state == .armed || gone.contains(job.worker ?? -1)
            self.putInDoubt(place, job.leaseUntil, isCrash: isCrash, settle: settle, now: now)
        }
    }

    private mutating func putInDoubt(_ place: Int, _ leaseUntil: Int, isCrash: Bool, settle: Int, now: Int) {
        self.jobs[place].state = .inDoubt
        self.jobs[place].isDoubtful = true
        self.jobs[place].epoch += 1
        self.jobs[place].worker = nil
        self.jobs[place].crashes += isCrash ? 1 : 0
        self.jobs[place].runAt = now
        self.jobs[place].empties = 0
        self.jobs[place].quietUntil = max(self.jobs[place].quietUntil ?? 0, leaseUntil + settle)
    }

    enum Change { case restart, failover }

    /// As `Incarnation.adopt`.
    mutating func adopt(_ start: Int, _ change: Change, lease: Int, settle: Int, now: Int) {
        self.started = start
        self.looksFirst = true
        self.changedAt = now
        if change == .failover || self.looksTwice {
            self.looksTwice = true
            self.quietAfterChange = now + lease + settle
        }
        for place in self.jobs.indices {
            switch self.jobs[place].state {
            case .armed, .looking: self.jobs[place].leaseUntil = now + lease
            case .inDoubt where self.jobs[place].isDoubtful && change == .failover:
                self.jobs[place].quietUntil = now + lease + settle
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

    /// Users whose wanted is not their actual state and who have no job that would change it. Who has failed waits for an
    /// operator.
    func forgotten() -> [Int] {
        self.users.keys.filter { key in
            guard let user = self.users[key], self.place(ofUser: key) == nil else { return false }
            guard user.wanted == .live else {
                return user.status != .revoked || self.credentials.contains { $0.user == key && $0.status != .deleted }
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

    // MARK: Sweep

    /// One listed credential held against the ledger; as `SweptTag.explain`.
    mutating func explain(_ found: ModelCredential, settle: Int, now: Int) {
        if let place = self.credentials.firstIndex(where: { $0.id == found.id }) {
            if self.credentials[place].status == .deleted && (self.credentials[place].deletedAt ?? now) + settle < now {
                self.credentials[place].status = .closing
                self.credentials[place].closeAfter = nil
            }
            self.credentials[place].missingSince = nil
            return
        }
        guard let user = self.users[found.user], user.wanted == .live || found.generation <= user.generation else {
            self.strays.insert(found.id)
            return
        }
        if found.generation > user.generation {
            // The commit that opened this generation was lost; what it made is there.
            self.users[found.user]?.generation = found.generation
            self.adopt(found.user, now)
            self.retarget(found.user, now)
            return
        }
        if self.credentials.contains(where: { $0.user == found.user && $0.generation == found.generation }) {
            self.remember([found.id], user: found.user, generation: found.generation)
        } else if let place = self.place(ofUser: found.user), self.jobs[place].generation == found.generation {
            if [.queued, .scheduled].contains(self.jobs[place].state) {
                self.jobs[place].state = .inDoubt
                self.jobs[place].runAt = now
            }
        } else if user.wanted == .gone || user.generation > found.generation {
            self.remember([found.id], user: found.user, generation: found.generation)
        } else {
            self.adopt(found.user, now)
        }
    }

    /// As `SweepStatements.adopt`.
    private mutating func adopt(_ user: Int, _ now: Int) {
        if let row = self.users[user], let place = self.place(ofUser: user),
            self.jobs[place].generation != row.generation,
            !self.dead.contains(where: { $0.user == user && $0.generation == row.generation })
        {
            self.dead.append(Dead(user: user, generation: row.generation, maybeCreated: false, quietUntil: nil))
        }
        self.enqueue(user, now, looksFirst: true)
    }

    /// As `SweepStatements.retarget`.
    private mutating func retarget(_ user: Int, _ now: Int) {
        guard let row = self.users[user], row.wanted == .live, let place = self.place(ofUser: user),
            self.jobs[place].generation < row.generation, !self.jobs[place].isDoubtful,
            self.jobs[place].state != .armed, self.jobs[place].state != .looking
        else { return }
        self.jobs[place].generation = row.generation
        self.jobs[place].state = .inDoubt
        self.jobs[place].runAt = now
        self.jobs[place].quietUntil = nil
        self.jobs[place].attempts = 0
        self.jobs[place].crashes = 0
        self.jobs[place].failures = 0
        self.jobs[place].empties = 0
    }

    mutating func missing(_ id: Int, isMissing: Bool, now: Int) {
        guard let place = self.credentials.firstIndex(where: { $0.id == id && $0.status == .active }) else { return }
        self.credentials[place].missingSince = isMissing ? self.credentials[place].missingSince ?? now : nil
    }

    /// As `SweepStatements.reprovision`.
    mutating func reprovision(_ id: Int, now: Int, _ mutant: Mutant?) {
        guard let place = self.credentials.firstIndex(where: { $0.id == id && $0.status == .active }) else { return }
        let row = self.credentials[place]
        if mutant != .oldGenerationNotClosed {
            self.credentials[place].status = .deleted
            self.credentials[place].deletedAt = now
            self.openNext(row.user, mutant)
        } else if self.users[row.user]?.generation == row.generation {
            self.users[row.user]?.generation += 1
        }
        self.adopt(row.user, now)
        self.retarget(row.user, now)
    }

    /// As `enqueueForgotten` of the sweep.
    mutating func enqueueAllForgotten(now: Int) {
        for user in self.forgotten().sorted() { self.enqueue(user, now, looksFirst: true) }
    }

    /// As `SweepLease.end`, after a run that saw everything.
    mutating func sweepEnded(startedAt: Int, server: Int, met: Set<Int>) {
        self.strays = self.strays.filter { id in met.contains(id) && !self.credentials.contains { $0.id == id } }
        guard self.started == server, startedAt >= self.changedAt,
            !self.looksTwice || startedAt >= self.quietAfterChange
        else { return }
        self.looksFirst = false
        self.looksTwice = false
    }
}
