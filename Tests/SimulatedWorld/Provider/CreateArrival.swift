// SPDX-License-Identifier: Apache-2.0
// The arrival of a create at the simulated provider: every answer there is, late creates, two of one request.

import Lifecycle
import Model

extension Simulation {
    mutating func arriveCreate(_ call: Call) {
        let lag = self.isPeace ? 0 : self.dice.upTo(3) == 0 ? self.dice.upTo(5000) : 0
        if let from = self.unwelcome[call.user], from <= self.now {
            return self.answer(call, .event(.rejected), after: 20)
        }
        guard !self.isPeace else { return self.answer(call, .created(self.make(call, lag)), after: 20) }
        let soon = 1 + self.dice.upTo(200)
        switch self.dice.upTo(100) {
        case 0..<15:  // made, and the answer is lost or an error
            _ = self.make(call, lag)
            self.answer(call, .event(.unknown), after: self.dice.chance(50) ? 10 : Times.deadline)
        case 15..<20: self.answer(call, .event(.unknown), after: Times.deadline)  // not made, no answer
        case 20..<25: self.answer(call, .event(.rateLimited(.seconds(1 + self.dice.upTo(20)))), after: soon)
        case 25..<30: self.answer(call, .event(.refused(.seconds(30))), after: soon)
        case 30..<40:  // lands late: within the margin, or with the sweep at work also beyond it
            self.tally.count(.lateCreates)
            self.land(call, after: self.dice.upTo(self.hasSweep ? Times.margin * 4 : Times.margin - 6000))
            self.answer(call, .event(.unknown), after: self.dice.upTo(Times.deadline))
        case 40..<43: self.answer(call, .event(.tagFull(isCounted: self.dice.chance(50))), after: soon)
        case 43..<46: self.answer(call, .event(.rejectedUnclear), after: soon)
        case 46..<48: self.answer(call, .event(.tenantRejected(.seconds(30))), after: soon)
        case 48: self.answer(call, .event(.rejected), after: soon)
        case 49..<57 where self.hasSweep: self.makeTwo(call, lag, soon)
        default: self.answer(call, .created(self.make(call, lag)), after: soon)
        }
    }

    /// Makes two credentials of one request, at once or much later. Only the sweep can find the second.
    private mutating func makeTwo(_ call: Call, _ lag: Int, _ soon: Int) {
        self.tally.count(.duplicates)
        let first = self.make(call, lag)
        let isLate = self.dice.chance(50)
        var again = call
        again.isSecond = true
        if isLate { self.land(again, after: self.dice.upTo(Times.margin * 4)) }
        let second = isLate ? first : self.make(call, lag, isSecond: true)
        self.answer(call, .created(self.dice.chance(50) ? first : second), after: soon)
    }

    /// Lets a create land later, when nobody waits for its answer any more.
    private mutating func land(_ call: Call, after delay: Int) {
        var late = call
        late.run = 0
        self.agenda.push(self.now + delay, .reply(late, .listed([])))
    }

    mutating func make(_ call: Call, _ lag: Int, isSecond: Bool = false) -> Shown {
        let isThere: (ProviderCredential) -> Bool = {
            $0.isThere && $0.user == call.user && $0.generation == call.generation
        }
        if !isSecond && self.provider.credentials.contains(where: isThere) { self.tally.count(.secondCreates) }
        let made = self.provider.create(
            user: call.user, generation: call.generation, tag: call.tag ?? 1, password: self.dice.next(), now: self.now,
            lag: lag)
        self.note("credential \(made.id) is made for user \(call.user) generation \(call.generation)")
        self.bound(made)
        return Shown(id: made.id, password: made.password)
    }
}
