// SPDX-License-Identifier: Apache-2.0
// How the simulated ledger is held against a list of the provider, and what the sweep then changes in it.

import Model

extension Ledger {
    /// Returns what one listed credential asks for, by what is committed now, as `SweptTag.explain` does.
    func explain(_ found: ProviderCredential, landingTime: Int, now: Int) -> Correction? {
        if let row = self.credentials.first(where: { $0.id == found.id }) {
            if row.status == .deleted { return (row.deletedAt ?? now) + landingTime < now ? .reopen(row.id) : nil }
            if row.status == .active && found.isExpired { return .reprovision(row.id) }
            return row.missingSince.map { $0 + landingTime < now } ?? false ? .missing(row.id, false) : nil
        }
        guard let user = self.users[found.user], user.wanted == .live || found.generation <= user.generation else {
            // A word from after the loss closes the generation, although the ledger has forgotten it.
            if let user = self.users[found.user], user.receivedAt > self.changedAt {
                return .overtaken(found)
            }
            return .stray(found)
        }
        // The commit that opened this generation was lost, and the credential that it led to is there.
        if found.generation > user.generation { return .catchUp(found.user, found.generation) }
        if self.credentials.contains(where: { $0.user == found.user && $0.generation == found.generation }) {
            return .surplus(found)
        }
        if self.jobs.contains(where: { $0.user == found.user && $0.generation == found.generation }) {
            return .makeLook(found.user, found.generation)
        }
        if user.wanted == .gone || user.generation > found.generation {
            return .surplus(found)
        }
        return .adopt(found.user)
    }

    /// Takes the names in doubt that are due. Each is due again after the same time, and forgotten after a day.
    mutating func takeDoubts(now: Int) -> [Doubt] {
        let due = self.doubts.filter { $0.dueAt <= now }
        for index in self.doubts.indices where self.doubts[index].dueAt <= now {
            self.doubts[index].dueAt = now + Times.followPause
        }
        self.doubts.removeAll { $0.doubtedAt + 86_400_000 < now }
        return due
    }

    /// Carries out one correction, some time after it was decided, and perhaps on another server.
    mutating func carryOut(_ correction: Correction, now: Int, _ mutant: Mutant?) {
        switch correction {
        case .surplus(let found): self.remember([found], now: now)
        case .overtaken(let found):
            if let row = self.users[found.user], row.wanted == .gone, row.generation < found.generation,
                row.receivedAt > self.changedAt
            {
                self.users[found.user]?.generation = found.generation
            }
            guard let row = self.users[found.user],
                row.generation > found.generation || row.wanted == .gone && row.generation == found.generation
            else { return }
            self.remember([found], now: now)
        case .makeLook(let user, let generation): self.makeLook(user, generation, now, mutant)
        case .adopt(let user): self.adopt(user, now)
        case .catchUp(let user, let generation):
            if let row = self.users[user], row.wanted == .live, row.generation < generation {
                self.users[user]?.generation = generation
                if row.status == .failed { self.users[user]?.status = .pending }
            }
            self.adopt(user, now)
            self.retarget(user, now)
        case .reopen(let id):
            for index in self.credentials.indices
            where self.credentials[index].id == id && self.credentials[index].status == .deleted {
                self.credentials[index].status = .closing
                self.credentials[index].closeAfter = nil
                self.credentials[index].deletedAt = nil
            }
        case .reprovision(let id): self.reprovision(id, now: now, mutant)
        case .missing(let id, let isMissing): self.missing(id, isMissing: isMissing, now: now)
        case .stray(let found): self.rememberStray(found, now: now)
        case .strayIsGone(let id): self.strays.removeAll { $0.id == id }
        }
    }

    /// Lets the user's job look before anything else, as `SweepCorrections.makeLook` does.
    private mutating func makeLook(_ user: Int, _ generation: Generation, _ now: Int, _ mutant: Mutant?) {
        for index in self.jobs.indices
        where self.jobs[index].user == user && self.jobs[index].generation == generation {
            switch self.jobs[index].state {
            case .queued, .scheduled, .inDoubt:
                self.jobs[index].state = .inDoubt
                self.jobs[index].isAside = false
                self.jobs[index].runAt = now
            case .dead: self.revive(index, now, mutant)
            // Its claim may be lost and put back, or it may be put off or set aside before it has sent anything.
            case .armed, .looking:
                guard self.users[user]?.generation == generation else { break }
                self.jobs[index].mustLook = true
                self.jobs[index].isAwaited = true
            }
        }
    }

    /// Gives the user a job that looks first, as `SweepCorrections.adopt` does. A job that is there looks first at the
    /// wanted generation, to which it may have come since the visit has decided.
    private mutating func adopt(_ user: Int, _ now: Int) {
        if let index = self.jobIndex(ofUser: user) { self.jobs[index].mustLook = true }
        self.enqueue(user, now, looksFirst: true)
    }

    /// Turns the user's job to the wanted generation, as `SweepCorrections.retarget` does.
    private mutating func retarget(_ user: Int, _ now: Int) {
        guard let row = self.users[user], row.wanted == .live, let index = self.jobIndex(ofUser: user),
            self.jobs[index].generation < row.generation, !self.jobs[index].isDoubtful,
            self.jobs[index].state != .armed, self.jobs[index].state != .looking
        else { return }
        self.jobs[index].generation = row.generation
        self.jobs[index].state = .inDoubt
        self.jobs[index].tag = nil
        self.jobs[index].isAside = false
        self.jobs[index].runAt = now
        self.jobs[index].quietUntil = nil
        self.jobs[index].attempts = 0
        self.jobs[index].crashes = 0
        self.jobs[index].failures = 0
        self.jobs[index].mustLook = false
    }

    /// Notes since when an active credential is not there.
    mutating func missing(_ id: Int, isMissing: Bool, now: Int) {
        guard let index = self.credentials.firstIndex(where: { $0.id == id && $0.status == .active }) else { return }
        self.credentials[index].missingSince = isMissing ? self.credentials[index].missingSince ?? now : nil
    }

    /// Closes a credential that serves no more and opens the next generation, as `SweepCorrections.reprovision` does.
    private mutating func reprovision(_ id: Int, now: Int, _ mutant: Mutant?) {
        guard let index = self.credentials.firstIndex(where: { $0.id == id && $0.status == .active }) else { return }
        let row = self.credentials[index]
        if mutant != .oldGenerationNotClosed {
            self.credentials[index].status = .deleted
            self.credentials[index].deletedAt = now
            self.openNext(row.user, mutant)
        } else if self.users[row.user]?.generation == row.generation {
            self.users[row.user]?.generation += 1
        }
        self.adopt(row.user, now)
        self.retarget(row.user, now)
    }

    /// Gives a job to each user who waits and has none, as `enqueueForgotten` of the sweep does.
    mutating func enqueueAllForgotten(now: Int) {
        for user in self.forgotten(isSweeps: true).sorted() { self.enqueue(user, now, looksFirst: true) }
    }
}
