// SPDX-License-Identifier: Apache-2.0
// One turn of a simulated worker: it meets the server, writes results, claims jobs and does what time has made due.

import Lifecycle
import Model

extension Simulation {
    mutating func tick(_ slot: Int) {
        guard self.restsUntil(slot) <= self.now else {
            self.wake(slot, at: self.restsUntil(slot))
            return
        }
        guard self.meet(slot) else {
            self.wake(slot, at: self.now + 300)
            return
        }
        if self.waitsForLock(slot) { return }
        let isWhole = self.exchange(slot)
        if !isWhole { self.tally.count(.brokenExchanges) }
        self.workers[slot].hasFailed = !isWhole
        // The loop that looks gives up in the end, and then the leases of its jobs run out.
        if !isWhole, self.dice.chance(5) { self.workers[slot].unwritten.removeAll { $0.run.isFromDoubt } }
        _ = self.claim(.inDoubt, slot)
        self.housekeep(slot)
        self.wake(slot, at: self.now + (isWhole ? self.untilDue() : 250 + self.dice.upTo(2000)))
    }

    /// Whether the connection to this server breaks here. That may be before a transaction, or after it and before its
    /// answer.
    mutating func breaks(_ server: Int) -> Bool {
        server != self.server || !self.isPeace && self.dice.chance(2)
    }

    /// Meets the server, as `checkServer` does. Returns false when the ledger did not know this start of it. The worker
    /// has then adopted it, and claims nothing in this turn.
    private mutating func meet(_ slot: Int) -> Bool {
        if self.ledger.started != self.server {
            self.ledger.adopt(
                self.server, self.lastChange, lease: Times.lease, landingTime: self.landingTime, now: self.serverNow)
            self.lastChange = .restart
            self.committed()
            return false
        }
        if self.workers[slot].knows != self.server {
            self.workers[slot].knows = self.server
            self.workers[slot].sight = nil
            self.readStrayNames(slot)
            self.beginAnew(slot)
        }
        return true
    }

    mutating func beginAnew(_ slot: Int) {
        self.workers[slot].boot = self.nextBoot
        self.workers[slot].ids = WorkerIDs(self.nextBoot)
        self.nextBoot += 1
    }

    /// Sends results and a claim in one pipeline, as `OnboardingWorker.exchange` does. Each is a transaction. Then it
    /// decides what one statement for all results could not. Returns whether every answer came; if not, the results are
    /// written again.
    private mutating func exchange(_ slot: Int) -> Bool {
        let server = self.server
        let writes = self.workers[slot].unwritten
        var open: [(write: Write, isRecorded: Bool)] = []
        for write in writes {
            if self.breaks(server) { return false }
            let sight = self.workers[slot].takeSight()
            if self.givesUp(on: { $0.writeLate(write) }) { return false }
            if let isRecorded = self.write(write, sight) { open.append((write, isRecorded)) }
            self.committed()
        }
        // While results cannot be written, nothing more is begun.
        if writes.isEmpty || !self.workers[slot].hasFailed {
            self.ledger.setAside(now: self.serverNow)
            guard self.claim(.queued, slot) else { return false }
        }
        for (write, isRecorded) in open {
            if self.breaks(server) { return false }
            self.decide(write, isRecorded: isRecorded)
            self.committed()
        }
        if self.breaks(server) { return false }
        self.workers[slot].unwritten.removeFirst(writes.count)
        return true
    }

    /// Claims jobs in this state, four runs per worker at most, and begins to run them. Returns whether the answer
    /// came; if not, what was claimed goes back before the next claim.
    private mutating func claim(_ state: JobState, _ slot: Int) -> Bool {
        let server = self.server
        guard self.putBackLost(state, slot) else { return false }
        let before = self.ledger
        let sight = self.workers[slot].takeSight()
        let (worker, known) = (self.workers[slot].ids[state], self.workers[slot].knows ?? 0)
        if self.breaks(server) || self.givesUp(on: { $0.claimLate(state, worker, known) }) {
            self.lose(claimOf: state, slot)
            return false
        }
        var claimed: [Run] = []
        while !self.workers[slot].isVisitor, self.workers[slot].runs.count + claimed.count < 4,
            let claim = self.ledger.claim(
                state, worker: worker, started: known, lease: Times.lease, sight: sight, now: self.serverNow,
                self.mutant)
        {
            claimed.append(
                Run(
                    lease: claim.lease, life: claim.life, user: claim.user, overlap: claim.overlap, tag: claim.tag,
                    leaseEnd: self.now + Times.lease, server: server, isFromDoubt: state == .inDoubt,
                    claimed: claim.lease, armedBy: server, jumpsWhenArmed: self.jumpsAhead))
        }
        if !claimed.isEmpty { self.committed() }
        if !claimed.isEmpty && self.ledger.looksFirst { self.ledger.demandTags(self.serverNow) }
        if self.breaks(server) {
            self.lose(claimOf: state, slot)
            return false
        }
        for run in claimed { self.begin(run, slot) }
        if !claimed.isEmpty { self.loseClaim(before) }
        return true
    }

    /// Claims a job for a worker that does not hear of it. It goes back, or its lease runs out.
    private mutating func claimLate(_ state: JobState, _ worker: Int, _ known: Int) {
        let claim = self.ledger.claim(
            state, worker: worker, started: known, lease: Times.lease, now: self.serverNow, self.mutant)
        if claim != nil { self.committed() }
    }

    private mutating func begin(_ run: Run, _ slot: Int) {
        var run = run
        if self.workers[slot].mayHold(Simulation.name(run.user, run.life.generation), self.now) {
            run.life.trust.looksFirst = true
        }
        self.note("worker \(slot) claims user \(run.user) generation \(run.life.generation) \(run.lease.state)")
        self.nextRun += 1
        self.workers[slot].runs[self.nextRun] = run
        self.advance(slot, self.nextRun, .claimed)
    }
}
