// SPDX-License-Identifier: Apache-2.0
// One run of a job in the simulation: the verbs of `JobRun`, around the production `step`.

import Lifecycle
import Model

extension Simulation {
    /// Asks `step` and does what it says, until a call is under way or a result is to be written.
    mutating func advance(_ slot: Int, _ number: Int, _ first: JobEvent) {
        guard var run = self.workers[slot].runs[number] else { return }
        var event: JobEvent? = first
        let landingTime = self.mutant == .landingTimeZero ? Duration.zero : .milliseconds(Terms.landingTime)
        while let next = event {
            event = nil
            let empties = run.life.empties
            let (life, effects) = run.life.step(
                next, rules: LifeRules(landingTime: landingTime), jitter: Double(self.dice.upTo(1000)) / 1000)
            self.note("worker \(slot) run \(number): \(next) leads to \(effects)")
            run.life = life
            if self.mutant == .emptiesNotReset && run.life.empties < empties { run.life.empties = empties }
            if case .looked(let found) = next, found.isEmpty { self.empty(run) }
            for effect in effects {
                if let made = self.perform(effect, slot, number, &run) { event = made }
            }
        }
        if self.workers[slot].runs[number] != nil { self.workers[slot].runs[number] = run }
    }

    /// Answers the next event when the effect has one at once.
    private mutating func perform(_ effect: JobEffect, _ slot: Int, _ number: Int, _ run: inout Run) -> JobEvent? {
        switch effect {
        case .surplus(let ids):
            self.database.remember(
                ids.compactMap { Int($0.rawValue) }, user: run.user, generation: run.life.generation)
            self.committed()
        case .renewLease:
            let server = self.server
            let epoch = self.database.rearm(
                run.lease, lease: Terms.lease, landingTime: self.landingTime, now: self.databaseNow, self.mutant)
            self.committed()
            guard let epoch, server == self.server, self.isPeace || !self.dice.chance(3) else {
                self.finish(slot, number, .move(run, .inDoubt, delay: 1000, isCharged: false, landingTime: nil))
                return nil
            }
            run.lease.epoch = epoch
            run.lease.state = .armed
            run.leaseEnd = self.now + Terms.lease
        case .create:
            guard self.workers[slot].runs[number] != nil else { return nil }
            // The sealing key and the limits' permission come first.
            let isSlow = !self.isPeace && self.dice.chance(10)
            self.queue.push(self.now + 1 + self.dice.upTo(isSlow ? 15_000 : 20), .send(slot, run: number))
        case .look: self.call(.look, slot, number, run)
        case .delete(let id):
            self.checkDelete(Int(id.rawValue) ?? 0, run)
            self.call(.delete(Int(id.rawValue) ?? 0), slot, number, run)
        case .record(let id): self.own(Int(id.rawValue) ?? 0, slot, number, run)
        case .closeGeneration(let id): self.finish(slot, number, .end(run, id.flatMap { Int($0.rawValue) }))
        case .finish: self.finish(slot, number, .end(run, nil))
        case .goToOtherGoal(let delay): self.finish(slot, number, .passOver(run, after: delay.wholeMilliseconds))
        case .schedule(let delay, let isCharged, _):
            self.finish(
                slot, number,
                .move(run, .scheduled, delay: delay.wholeMilliseconds, isCharged: isCharged, landingTime: nil))
        case .doubt(let delay, let isCharged, let landingTime):
            self.finish(
                slot, number,
                .move(
                    run, .inDoubt, delay: delay.wholeMilliseconds, isCharged: isCharged,
                    landingTime: landingTime?.wholeMilliseconds))
        case .giveUp: self.finish(slot, number, .bury(run))
        }
        return nil
    }

    /// As `JobRun.own`: with the password that was shown, or asked for by id.
    private mutating func own(_ id: Int, _ slot: Int, _ number: Int, _ run: Run) {
        let shown = self.mutant == .anothersPassword ? run.shown.last : run.shown.first { $0.id == id }
        guard let password = shown?.password else { return self.call(.retrieve(id), slot, number, run) }
        self.finish(slot, number, .own(run, id, password: password))
    }

    /// As `JobRun.lost`: it is there, and could not be taken.
    mutating func lose(_ slot: Int, _ number: Int) {
        guard var run = self.workers[slot].runs[number] else { return }
        run.life.isDoubtful = true
        run.hasFailed = true
        self.finish(slot, number, .move(run, .inDoubt, delay: 1000, isCharged: true, landingTime: self.landingTime))
    }

    mutating func finish(_ slot: Int, _ number: Int, _ write: Write) {
        self.note("worker \(slot) leaves \(write)")
        self.workers[slot].unwritten.append(write)
        self.workers[slot].runs[number] = nil
        self.wake(slot, at: self.now + 1)
    }

    private mutating func call(_ kind: Call.Kind, _ slot: Int, _ number: Int, _ run: Run) {
        let call = Call(
            kind: kind, slot: slot, boot: self.workers[slot].boot, run: number, user: run.user,
            generation: run.life.generation)
        self.queue.push(self.now + 1 + self.dice.upTo(50), .arrive(call))
    }

    /// The one call that is not idempotent, with what must hold whenever it leaves.
    mutating func send(_ slot: Int, _ number: Int) {
        guard let run = self.workers[slot].runs[number] else { return }
        if self.workers[slot].pausedUntil > self.now {
            return self.queue.push(self.workers[slot].pausedUntil, .send(slot, run: number))
        }
        guard self.now + Terms.deadline < run.leaseEnd, self.isPeace || !self.dice.chance(5) else {
            return self.advance(slot, number, .notSent)
        }
        var call = Call(
            kind: .create, slot: slot, boot: self.workers[slot].boot, run: number, user: run.user,
            generation: run.life.generation)
        var delay = 1 + self.dice.upTo(50)
        if !self.isCalm && !self.isPeace && self.dice.chance(2) {
            // Stopped between the check and the write: what the quiet time and the sweep are for.
            call.isZombie = true
            delay += self.dice.upTo(120_000)
        } else if self.holds(run) {
            self.checkProof(run)
        }
        self.note("worker \(slot) sends a create for user \(run.user) generation \(run.life.generation)")
        self.queue.push(self.now + delay, .arrive(call))
    }
}

extension Duration {
    var wholeMilliseconds: Int {
        Int(self.components.seconds * 1000 + self.components.attoseconds / 1_000_000_000_000_000)
    }
}
