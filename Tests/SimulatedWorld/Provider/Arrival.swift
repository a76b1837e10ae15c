// SPDX-License-Identifier: Apache-2.0
// The arrival of a call at the simulated provider: it lists, shows or deletes, or fails to.

import Lifecycle
import Model

extension Simulation {
    mutating func arrive(_ call: Call) {
        // A zombie's request was on its way before the blackout began.
        if self.now < self.blackoutUntil && !call.isZombie {
            if case .create = call.kind { return self.answer(call, .event(.unknown), after: Times.deadline) }
            return self.answer(call, .failed, after: Times.deadline)
        }
        switch call.kind {
        case .create: self.arriveCreate(call)
        case .look: self.arriveLook(call)
        case .retrieve(let id): self.arriveRetrieve(id, call)
        case .delete(let id): self.arriveDelete(id, call, isSurplus: false)
        case .deleteSurplus(let id): self.arriveDelete(id, call, isSurplus: true)
        }
    }

    private mutating func arriveLook(_ call: Call) {
        if !self.isPeace && self.dice.chance(10) { return self.answer(call, .failed, after: 1000) }
        self.answer(call, .listed(self.look(call)), after: 1 + self.dice.upTo(100))
    }

    private mutating func arriveRetrieve(_ id: Int, _ call: Call) {
        guard self.provider.isThere(id), self.isPeace || !self.dice.chance(10) else {
            return self.answer(call, .failed, after: 1000)
        }
        let shown = Shown(id: id, password: self.provider.credentials[id].password)
        self.answer(call, .retrieved(shown), after: 1 + self.dice.upTo(50))
    }

    private mutating func arriveDelete(_ id: Int, _ call: Call, isSurplus: Bool) {
        if !self.isPeace && self.dice.chance(10) { return self.answer(call, .failed, after: 1000) }
        if isSurplus {
            guard self.ownerAnswers(id) else { return self.answer(call, .failed, after: 1 + self.dice.upTo(50)) }
            self.deletedBySweep.insert(id)
            if self.ledger.credentials.contains(where: { $0.id == id && $0.status == .active }) {
                self.fail("an owned credential is deleted as surplus")
            }
        }
        let wasThere = self.provider.delete(id)
        if isSurplus && wasThere {
            self.tally.count(.surplusDeleted)
            self.checkBound(id)
        }
        self.note("delete of credential \(id)\(isSurplus ? " as surplus" : ""): \(wasThere ? "done" : "not found")")
        // It is deleted, and the answer is lost.
        if !self.isPeace && self.dice.chance(10) { return self.answer(call, .failed, after: 1000) }
        self.answer(call, .deleted, after: 1 + self.dice.upTo(50))
    }

    /// Asks the owner of a second credential's generation, as `SurplusDeletion` does before it deletes. One that is not
    /// there is missing from now on.
    private mutating func ownerAnswers(_ id: Int) -> Bool {
        guard let owner = self.ledger.owner(ofSurplus: id), !self.provider.isThere(owner) else { return true }
        if self.mutant == .secondWithoutOwner {
            self.fail("credential \(id) is deleted although its owner \(owner) is not there")
            return true
        }
        // It waits until its owner is replaced.
        self.boundedUntil[id] = nil
        self.ledger.missing(owner, isMissing: true, now: self.serverNow)
        self.committed()
        return false
    }

    /// Returns what a look shows: live credentials that are not known surplus, oldest first. It lists by name, and the
    /// tag too before absence is believed.
    private mutating func look(_ call: Call) -> [Shown] {
        let doomed = self.ledger.strays.filter(\.isRefused).map(\.id)
        let surplus = Set(self.ledger.surplus.map(\.id) + doomed)
        let matches: (ProviderCredential) -> Bool = {
            $0.user == call.user && $0.generation == call.generation && !$0.isExpired && !surplus.contains($0.id)
        }
        let shift = !self.isPeace && self.dice.chance(5)
        var found = self.provider.list(now: self.now, shift: shift, where: matches)
        let mayProveAbsence = self.workers[call.slot].runs[call.run]?.life.mayProveAbsence ?? false
        let isThorough = found.isEmpty && mayProveAbsence && self.mutant != .absentByNameAlone
        if isThorough {
            let shift = !self.isPeace && self.dice.chance(5)
            found = self.provider.list(now: self.now, shift: shift, where: matches)
        }
        self.workers[call.slot].runs[call.run]?.lookBegan = self.now
        self.workers[call.slot].runs[call.run]?.isThorough = isThorough
        self.note("a look for user \(call.user) generation \(call.generation) shows \(found.map(\.id))")
        let hasPasswords = self.dice.chance(50)
        return found.sorted { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }
            .map { Shown(id: $0.id, password: hasPasswords ? $0.password : nil) }
    }

    mutating func answer(_ call: Call, _ answer: Answer, after delay: Int) {
        self.agenda.push(self.now + delay, .reply(call, answer))
    }
}
