// SPDX-License-Identifier: Apache-2.0
// What the sweep does to the simulated ledger; each method is one transaction of the production SQL.

import Model

/// What a sweep has decided to do, each a transaction by itself.
enum Correction {
    case surplus(Int, Int, Generation)
    case makeLook(Int, Generation)
    case adopt(Int)
    case catchUp(Int, Generation)
    case reopen(Int)
    case reprovision(Int)
    case missing(Int, Bool)
    case stray(Int)
}

extension ModelDatabase {
    /// What one listed credential asks for, by what is committed now; as `SweptTag.explain`.
    func explain(_ found: ModelCredential, landingTime: Int, now: Int) -> Correction? {
        if let row = self.credentials.first(where: { $0.id == found.id }) {
            if row.status == .deleted { return (row.deletedAt ?? now) + landingTime < now ? .reopen(row.id) : nil }
            if row.status == .active && found.isExpired { return .reprovision(row.id) }
            return row.missingSince.map { $0 + landingTime < now } ?? false ? .missing(row.id, false) : nil
        }
        guard let user = self.users[found.user], user.wanted == .live || found.generation <= user.generation else {
            return .stray(found.id)
        }
        // The commit that opened this generation was lost; what it made is there.
        if found.generation > user.generation { return .catchUp(found.user, found.generation) }
        if self.credentials.contains(where: { $0.user == found.user && $0.generation == found.generation }) {
            return .surplus(found.id, found.user, found.generation)
        }
        if self.jobs.contains(where: { $0.user == found.user && $0.generation == found.generation }) {
            return .makeLook(found.user, found.generation)
        }
        if user.wanted == .gone || user.generation > found.generation {
            return .surplus(found.id, found.user, found.generation)
        }
        return .adopt(found.user)
    }

    /// One correction, some time after it was decided, and perhaps on another server.
    mutating func carryOut(_ correction: Correction, now: Int, _ mutant: Mutant?) {
        switch correction {
        case .surplus(let id, let user, let generation): self.remember([id], user: user, generation: generation)
        case .makeLook(let user, let generation): self.makeLook(user, generation, now)
        case .adopt(let user): self.adopt(user, now)
        case .catchUp(let user, let generation):
            if let row = self.users[user], row.wanted == .live, row.generation < generation {
                self.users[user]?.generation = generation
            }
            self.adopt(user, now)
            self.retarget(user, now)
        case .reopen(let id):
            for place in self.credentials.indices
            where self.credentials[place].id == id && self.credentials[place].status == .deleted {
                self.credentials[place].status = .closing
                self.credentials[place].closeAfter = nil
                self.credentials[place].deletedAt = nil
            }
        case .reprovision(let id): self.reprovision(id, now: now, mutant)
        case .missing(let id, let isMissing): self.missing(id, isMissing: isMissing, now: now)
        case .stray(let id): self.strays.insert(id)
        }
    }

    /// As `SweepCorrections.makeLook`.
    private mutating func makeLook(_ user: Int, _ generation: Generation, _ now: Int) {
        for place in self.jobs.indices
        where self.jobs[place].user == user && self.jobs[place].generation == generation {
            switch self.jobs[place].state {
            case .queued, .scheduled, .inDoubt:
                self.jobs[place].state = .inDoubt
                self.jobs[place].runAt = now
            case .armed, .looking: break
            }
        }
    }

    /// As `SweepCorrections.adopt`.
    private mutating func adopt(_ user: Int, _ now: Int) {
        if let row = self.users[user], let place = self.place(ofUser: user),
            self.jobs[place].generation != row.generation,
            !self.dead.contains(where: { $0.user == user && $0.generation == row.generation })
        {
            self.dead.append(Dead(user: user, generation: row.generation, maybeCreated: false, quietUntil: nil))
        }
        self.enqueue(user, now, looksFirst: true)
    }

    /// As `SweepCorrections.retarget`.
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

    private mutating func missing(_ id: Int, isMissing: Bool, now: Int) {
        guard let place = self.credentials.firstIndex(where: { $0.id == id && $0.status == .active }) else { return }
        self.credentials[place].missingSince = isMissing ? self.credentials[place].missingSince ?? now : nil
    }

    /// As `SweepCorrections.reprovision`.
    private mutating func reprovision(_ id: Int, now: Int, _ mutant: Mutant?) {
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
        for user in self.forgotten(isSweeps: true).sorted() { self.enqueue(user, now, looksFirst: true) }
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
