// SPDX-License-Identifier: Apache-2.0
// The end of a simulated worker's turn: it promotes, rescues, deletes surplus, and sets its next turn.

import Model

extension Simulation {
    /// Does what `OnboardingWorker.tick` and `deleteSurplus` do.
    mutating func housekeep(_ slot: Int) {
        let server = self.server
        let gone = Set(self.deadBoots.filter { $0.value + 2000 < self.now }.map(\.key))
        if self.breaks(server) { return }
        self.ledger.promote(now: self.serverNow)
        if self.mutant != .neverLetGo { self.ledger.letGo(now: self.serverNow) }
        self.committed()
        if self.breaks(server) { return }
        // Nothing may be left to do at the end.
        if self.now < Times.lastTry {
            let count = self.ledger.tryAgain(now: self.serverNow, self.mutant)
            for _ in 0..<count { self.tally.count(.triedAgain) }
            if count > 0 { self.committed() }
        }
        if self.breaks(server) { return }
        // A worker that lives and is taken for dead is another worker from now on.
        if self.workers[slot].ids.all.contains(where: gone.contains) { self.beginAnew(slot) }
        self.ledger.rescue(now: self.serverNow, landingTime: self.landingTime, gone: gone)
        self.committed()
        if self.breaks(server) { return }
        self.ledger.enqueueForgotten(now: self.serverNow)
        self.committed()
        if self.breaks(server) { return }
        self.readStrayNames(slot)
        self.followDoubts()
        self.visit(slot)
        self.askForMissing()
        self.walkAccount()
        for id in self.ledger.dueSurplus(self.server, now: self.serverNow) {
            let call = Call(
                kind: .deleteSurplus(id), slot: slot, boot: self.workers[slot].boot, run: 0, user: 0, generation: 0)
            self.agenda.push(self.now + self.dice.upTo(50), .arrive(call))
        }
    }

    /// Reads the names of strays, which jobs of this worker look for.
    mutating func readStrayNames(_ slot: Int) {
        self.workers[slot].strayNames = Set(self.ledger.strays.filter(\.isOpen).map(\.name))
        self.workers[slot].namesReadAt = self.now
    }

    /// Returns how long it is until time makes something due: 250 milliseconds at least, twenty seconds at most.
    func untilDue() -> Int {
        var due = self.now + 20_000
        for job in self.ledger.jobs {
            switch job.state {
            case .queued: due = min(due, self.now + 200)
            case .scheduled where job.isAside: due = min(due, self.ledger.stoppedUntil - self.clockOffset)
            case .scheduled, .inDoubt: due = min(due, job.runAt - self.clockOffset)
            case .dead: if self.now < Times.lastTry { due = min(due, job.runAt - self.clockOffset) }
            case .armed, .looking: due = min(due, job.leaseUntil - self.clockOffset + 1)
            }
        }
        if self.hasSweep {
            for tag in self.ledger.tags { due = min(due, max(tag.dueAt, 0) - self.clockOffset) }
        }
        return max(250, due - self.now)
    }
}
