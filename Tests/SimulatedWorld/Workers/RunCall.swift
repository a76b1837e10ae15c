// SPDX-License-Identifier: Apache-2.0
// The calls of a simulated run, and the one that is not idempotent: the create, with what must hold when it leaves.

import Lifecycle
import Model

extension Simulation {
    mutating func call(_ kind: Call.Kind, _ slot: Int, _ number: Int, _ run: Run) {
        let call = Call(
            kind: kind, slot: slot, boot: self.workers[slot].boot, run: number, user: run.user,
            generation: run.life.generation, tag: run.tag)
        self.agenda.push(self.now + 1 + self.dice.upTo(50), .arrive(call))
    }

    /// Plans the send of a create. The sealing key and a permission of the limits come first, and may take seconds.
    mutating func prepareCreate(_ slot: Int, _ number: Int) {
        guard self.workers[slot].runs[number] != nil else { return }
        let isSlow = !self.isPeace && self.dice.chance(10)
        self.agenda.push(self.now + 1 + self.dice.upTo(isSlow ? 15_000 : 20), .send(slot, run: number))
    }

    /// Sends the create, unless the lease is too short for its answer.
    mutating func send(_ slot: Int, _ number: Int) {
        guard let run = self.workers[slot].runs[number] else { return }
        if self.restsUntil(slot) > self.now {
            return self.agenda.push(self.restsUntil(slot), .send(slot, run: number))
        }
        guard self.now + Times.deadline < run.leaseEnd, run.tag != nil, self.isPeace || !self.dice.chance(5)
        else {
            return self.advance(slot, number, .notSent)
        }
        var call = Call(
            kind: .create, slot: slot, boot: self.workers[slot].boot, run: number, user: run.user,
            generation: run.life.generation, tag: run.tag)
        var delay = 1 + self.dice.upTo(50)
        if self.hasSweep && !self.isPeace && self.dice.chance(2) {
            // The worker is stopped between its last check and the write. The quiet time and the sweep exist for this
            // case.
            call.isZombie = true
            delay += self.dice.upTo(120_000)
        } else if self.holds(run) {
            self.checkProof(run)
        }
        self.note("worker \(slot) sends a create for user \(run.user) generation \(run.life.generation)")
        self.agenda.push(self.now + delay, .arrive(call))
    }
}
