// SPDX-License-Identifier: Apache-2.0
// What the sweep does to the simulated ledger; each method is one transaction of the production SQL.

import Model

extension ModelDatabase {
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
