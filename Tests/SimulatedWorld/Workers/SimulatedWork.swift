// SPDX-License-Identifier: Apache-2.0
// The loop of a simulated worker: results, claims and housekeeping, in the transactions of `OnboardingWorker`.

import Lifecycle
import Model

extension Simulation {
    /// One turn: meet the server, write, claim, and what time has made due.
    mutating func tick(_ slot: Int) {
        guard self.workers[slot].pausedUntil <= self.now else {
            self.wake(slot, at: self.workers[slot].pausedUntil)
            return
        }
        guard self.meet(slot) else {
            self.wake(slot, at: self.now + 300)
            return
        }
        let isWhole = self.exchange(slot)
        if !isWhole { self.tally.count(.brokenExchanges) }
        self.workers[slot].hasFailed = !isWhole
        // Who looks gives up in the end: the leases run out.
        if !isWhole, self.dice.chance(5) { self.workers[slot].unwritten.removeAll { $0.run.isFromDoubt } }
        _ = self.claim(.inDoubt, slot)
        self.housekeep(slot)
        self.wake(slot, at: self.now + (isWhole ? self.untilDue() : 250 + self.dice.upTo(2000)))
    }

    /// Whether the connection to this server dies here: before a transaction, or with its answer.
    private mutating func breaks(_ server: Int) -> Bool {
        server != self.server || !self.isPeace && self.dice.chance(2)
    }

    /// As `OnboardingWorker.exchange`: results and a claim in one pipeline, each a transaction; then what one statement
    /// for all could not decide. Whatever is not answered is written again. Answers whether all was.
    private mutating func exchange(_ slot: Int) -> Bool {
        let server = self.server
        let writes = self.workers[slot].unwritten
        var open: [(write: Write, isRecorded: Bool)] = []
        for write in writes {
            if self.breaks(server) { return false }
            if let isRecorded = self.write(write) { open.append((write, isRecorded)) }
            self.committed()
        }
        // While results cannot be written nothing more is begun.
        if writes.isEmpty || !self.workers[slot].hasFailed {
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

    /// As `checkServer`: nothing is claimed from a server nobody has adopted.
    private mutating func meet(_ slot: Int) -> Bool {
        if self.database.started != self.server {
            self.database.adopt(
                self.server, self.lastChange, lease: Terms.lease, landingTime: self.landingTime, now: self.databaseNow)
            self.lastChange = .restart
            self.committed()
            return false
        }
        if self.workers[slot].knows != self.server {
            self.workers[slot].knows = self.server
            self.beginAnew(slot)
        }
        return true
    }

    private mutating func beginAnew(_ slot: Int) {
        self.workers[slot].boot = self.nextBoot
        self.nextBoot += 1
    }

    /// Answers whether the answer came; if not, the leases of what was claimed run out.
    private mutating func claim(_ state: JobState, _ slot: Int) -> Bool {
        let server = self.server
        if self.breaks(server) { return false }
        let before = self.database
        var claimed: [Run] = []
        while self.workers[slot].runs.count + claimed.count < 4,
            let (lease, life, user, overlap) = self.database.claim(
                state, worker: self.workers[slot].boot, started: self.workers[slot].knows ?? 0, lease: Terms.lease,
                now: self.databaseNow, self.mutant)
        {
            claimed.append(
                Run(
                    lease: lease, life: life, user: user, overlap: overlap, leaseEnd: self.now + Terms.lease,
                    server: server, isFromDoubt: state == .inDoubt))
        }
        if !claimed.isEmpty { self.committed() }
        if self.breaks(server) { return false }
        for run in claimed {
            self.note("worker \(slot) claims user \(run.user) generation \(run.life.generation) \(run.lease.state)")
            self.nextRun += 1
            self.workers[slot].runs[self.nextRun] = run
            self.advance(slot, self.nextRun, .claimed)
        }
        if !claimed.isEmpty { self.loseClaim(before) }
        return true
    }

    /// As `OnboardingWorker.tick` and `deleteSurplus`.
    private mutating func housekeep(_ slot: Int) {
        let server = self.server
        let gone = Set(self.deadBoots.filter { $0.value + 2000 < self.now }.map(\.key))
        if self.breaks(server) { return }
        self.database.promote(now: self.databaseNow)
        self.committed()
        if self.breaks(server) { return }
        // Alive and taken for dead: from now on another worker.
        if gone.contains(self.workers[slot].boot) { self.beginAnew(slot) }
        self.database.rescue(now: self.databaseNow, landingTime: self.landingTime, gone: gone)
        self.committed()
        if self.breaks(server) { return }
        self.database.enqueueForgotten(now: self.databaseNow)
        self.committed()
        if self.breaks(server) { return }
        for id in self.database.dueSurplus(self.server) {
            let call = Call(
                kind: .deleteSurplus(id), slot: slot, boot: self.workers[slot].boot, run: 0, user: 0, generation: 0)
            self.queue.push(self.now + self.dice.upTo(50), .arrive(call))
        }
    }

    /// Until time makes something due; twenty seconds at most.
    private func untilDue() -> Int {
        var due = self.now + 20_000
        for job in self.database.jobs {
            switch job.state {
            case .queued: due = min(due, self.now + 200)
            case .scheduled, .inDoubt: due = min(due, job.runAt - self.clockOffset)
            case .armed, .looking: due = min(due, job.leaseUntil - self.clockOffset + 1)
            }
        }
        return max(250, due - self.now)
    }

    /// For evidence that is not yet settled: whether it was recorded.
    private mutating func write(_ write: Write) -> Bool? {
        let now = self.databaseNow
        switch write {
        case .own(let run, let id, let password):
            let done = self.database.record(
                run.lease, user: run.user, generation: run.life.generation, id: id, password: password,
                overlap: run.overlap, now: now, self.mutant)
            let isOwned = self.database.credentials.contains { $0.id == id && $0.status == .active }
            if isOwned && self.deletedBySweep.contains(id) {
                self.fail("the sweep deleted what its job was about to record")
            }
            if done?.isRecorded == true && !run.hasCreated { self.tally.count(.adopted) }
            if let done, !done.isEnded { return done.isRecorded }
            self.checkEvidence(run, id)
        case .move(let run, let state, let delay, let isCharged, let landingTime):
            self.database.move(
                run.lease, to: state, delay: delay, isCharged: isCharged, life: run.life, isFailure: run.hasFailed,
                landingTime: landingTime, now: now, self.mutant)
        case .end(let run, let id): self.database.end(run.lease, deleted: id, now: now, self.mutant)
        case .passOver(let run, let delay):
            self.database.end(run.lease, deleted: nil, passesOver: delay, now: now, self.mutant)
        case .bury(let run):
            let before = self.database.dead.count
            self.database.bury(run.lease, mayExist: run.life.isDoubtful, now: now, self.mutant)
            if self.database.dead.count > before { self.tally.count(.burials) }
        }
        return nil
    }

    private mutating func decide(_ write: Write, isRecorded: Bool) {
        guard case .own(let run, let id, _) = write else { return }
        self.database.decide(
            run.lease, isRecorded: isRecorded, user: run.user, generation: run.life.generation, id: id,
            now: self.databaseNow, self.mutant)
        self.checkEvidence(run, id)
    }
}
