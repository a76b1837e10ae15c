// SPDX-License-Identifier: Apache-2.0
// What the simulated provider makes of a call, and how its answer reaches the run that waits for it.

import Lifecycle
import Model

extension Simulation {
    mutating func arrive(_ call: Call) {
        // A zombie's request was on its way before.
        if self.now < self.blackoutUntil && !call.isZombie {
            if case .create = call.kind { return self.answer(call, .event(.unknown), after: Terms.deadline) }
            return self.answer(call, .failed, after: Terms.deadline)
        }
        switch call.kind {
        case .create: self.arriveCreate(call)
        case .look:
            if !self.isPeace && self.dice.chance(10) { return self.answer(call, .failed, after: 1000) }
            self.answer(call, .listed(self.look(call)), after: 1 + self.dice.upTo(100))
        case .retrieve(let id):
            guard self.provider.isThere(id), self.isPeace || !self.dice.chance(10) else {
                return self.answer(call, .failed, after: 1000)
            }
            let shown = Shown(id: id, password: self.provider.credentials[id].password)
            self.answer(call, .retrieved(shown), after: 1 + self.dice.upTo(50))
        case .delete(let id), .deleteSurplus(let id):
            let isSurplus = if case .deleteSurplus = call.kind { true } else { false }
            if !self.isPeace && self.dice.chance(10) { return self.answer(call, .failed, after: 1000) }
            if isSurplus {
                self.deletedBySweep.insert(id)
                if self.database.credentials.contains(where: { $0.id == id && $0.status == .active }) {
                    self.fail("an owned credential is deleted as surplus")
                }
            }
            let wasThere = self.provider.delete(id)
            if isSurplus && wasThere { self.tally.count(.surplusDeleted) }
            self.note("delete of credential \(id)\(isSurplus ? " as surplus" : ""): \(wasThere ? "done" : "not found")")
            if !self.isPeace && self.dice.chance(10) { return self.answer(call, .failed, after: 1000) }
            self.answer(call, .deleted, after: 1 + self.dice.upTo(50))
        }
    }

    private mutating func look(_ call: Call) -> [Shown] {
        let matches: (ModelCredential) -> Bool = {
            $0.user == call.user && $0.generation == call.generation && !$0.isExpired
        }
        let shift = !self.isPeace && self.dice.chance(5)
        var found = self.provider.list(now: self.now, shift: shift, where: matches)
        let life = self.workers[call.slot].runs[call.run]?.life
        if found.isEmpty, let life, !life.isDoubtful || life.empties > 0 {
            let shift = !self.isPeace && self.dice.chance(5)
            found = self.provider.list(now: self.now, shift: shift, where: matches)
        }
        let surplus = Set(self.database.surplus.map(\.id))
        self.note("a look for user \(call.user) generation \(call.generation) shows \(found.map(\.id))")
        let hasPasswords = self.dice.chance(50)
        return found.filter { !surplus.contains($0.id) }.sorted { ($0.createdAt, $0.id) < ($1.createdAt, $1.id) }
            .map { Shown(id: $0.id, password: hasPasswords ? $0.password : nil) }
    }

    private mutating func arriveCreate(_ call: Call) {
        let lag = self.isPeace ? 0 : self.dice.upTo(3) == 0 ? self.dice.upTo(5000) : 0
        if let from = self.unwelcome[call.user], from <= self.now {
            return self.answer(call, .event(.rejected), after: 20)
        }
        guard !self.isPeace else { return self.answer(call, .created(self.make(call, lag)), after: 20) }
        let soon = 1 + self.dice.upTo(200)
        switch self.dice.upTo(100) {
        case 0..<15:  // made, and the answer is lost or an error
            _ = self.make(call, lag)
            self.answer(call, .event(.unknown), after: self.dice.chance(50) ? 10 : Terms.deadline)
        case 15..<20: self.answer(call, .event(.unknown), after: Terms.deadline)  // not made, no answer
        case 20..<25: self.answer(call, .event(.rateLimited(.seconds(1 + self.dice.upTo(20)))), after: soon)
        case 25..<30: self.answer(call, .event(.refused(.seconds(30))), after: soon)
        case 30..<40:  // lands late: within the margin, or in a storm beyond it
            self.tally.count(.lateCreates)
            self.land(call, after: self.dice.upTo(self.isCalm ? Terms.margin - 6000 : Terms.margin * 4))
            self.answer(call, .event(.unknown), after: self.dice.upTo(Terms.deadline))
        case 40..<43: self.answer(call, .event(.tagFull(isCounted: self.dice.chance(50))), after: soon)
        case 43..<46: self.answer(call, .event(.rejectedUnclear), after: soon)
        case 46..<48: self.answer(call, .event(.tenantRejected(.seconds(30))), after: soon)
        case 48: self.answer(call, .event(.rejected), after: soon)
        case 49..<57 where !self.isCalm:
            // Two of one request, at once or much later: only the sweep can find the second.
            self.tally.count(.duplicates)
            let first = self.make(call, lag)
            let isLate = self.dice.chance(50)
            var again = call
            again.isSecond = true
            if isLate { self.land(again, after: self.dice.upTo(Terms.margin * 4)) }
            let second = isLate ? first : self.make(call, lag, isSecond: true)
            self.answer(call, .created(self.dice.chance(50) ? first : second), after: soon)
        default: self.answer(call, .created(self.make(call, lag)), after: soon)
        }
    }

    /// A create that is made when nobody waits for its answer any more.
    private mutating func land(_ call: Call, after delay: Int) {
        var late = call
        late.run = 0
        self.queue.push(self.now + delay, .reply(late, .listed([])))
    }

    private mutating func make(_ call: Call, _ lag: Int, isSecond: Bool = false) -> Shown {
        let isThere: (ModelCredential) -> Bool = {
            $0.isThere && $0.user == call.user && $0.generation == call.generation
        }
        if !isSecond && self.provider.credentials.contains(where: isThere) { self.tally.count(.secondCreates) }
        let made = self.provider.create(
            user: call.user, generation: call.generation, password: self.dice.next(), now: self.now, lag: lag)
        self.note("credential \(made.id) is made for user \(call.user) generation \(call.generation)")
        return Shown(id: made.id, password: made.password)
    }

    private mutating func answer(_ call: Call, _ answer: Answer, after delay: Int) {
        self.queue.push(self.now + delay, .reply(call, answer))
    }

    // MARK: Answers

    mutating func reply(_ call: Call, _ answer: Answer) {
        if case .create = call.kind, call.run == 0 {  // a create that lands late
            _ = self.make(call, 0, isSecond: call.isSecond)
            return self.note("a late create lands for user \(call.user) generation \(call.generation)")
        }
        if case .deleteSurplus(let id) = call.kind {
            if case .deleted = answer { self.database.surplusDeleted(id) }
            return
        }
        // A stopped worker reads its answers when it goes on; a dead one never.
        if self.workers[call.slot].pausedUntil > self.now {
            return self.queue.push(self.workers[call.slot].pausedUntil, .reply(call, answer))
        }
        guard self.workers[call.slot].runs[call.run] != nil else { return }
        let event: JobEvent
        switch (answer, call.kind) {
        case (.event(let made), _): event = made
        case (.created(let made), _):
            self.workers[call.slot].runs[call.run]?.shown = [made]
            self.workers[call.slot].runs[call.run]?.hasCreated = true
            event = .created(ProviderID(rawValue: "\(made.id)"))
        case (.listed(let found), _):
            self.workers[call.slot].runs[call.run]?.shown = found
            event = .looked(found: found.map { ProviderID(rawValue: "\($0.id)") })
        case (.retrieved(let found), _):
            guard let run = self.workers[call.slot].runs[call.run], let password = found.password else { return }
            return self.finish(call.slot, call.run, .own(run, found.id, password: password))
        case (.failed, .retrieve): return self.lose(call.slot, call.run)
        case (.deleted, .delete(let id)): event = .deleted(ProviderID(rawValue: "\(id)"))
        case (.failed, .look): event = .lookFailed(nil)
        case (.failed, _), (.deleted, _): event = .deleteFailed(nil)
        }
        switch event {
        case .rateLimited, .refused, .tagFull, .rejectedUnclear, .rejected, .tenantRejected:
            self.proofs[self.name(call.user, call.generation)]?.isOpen = false
        case .lookFailed, .deleteFailed, .unknown: self.workers[call.slot].runs[call.run]?.hasFailed = true
        default: break
        }
        self.advance(call.slot, call.run, event)
    }
}
