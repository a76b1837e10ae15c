// SPDX-License-Identifier: Apache-2.0
// One step of a simulated run: the production `step` decides, and its effects become calls and results.

import Lifecycle
import Model

extension Simulation {
    /// Asks `step` what follows from this event, and does it. Then a call is under way or a result is to be written.
    mutating func advance(_ slot: Int, _ number: Int, _ event: JobEvent) {
        guard var run = self.workers[slot].runs[number] else { return }
        let (life, effects) = run.life.step(
            event, rules: LifeRules(landingTime: .milliseconds(self.landingTime)),
            jitter: Double(self.dice.upTo(1000)) / 1000)
        self.note("worker \(slot) run \(number): \(event) leads to \(effects)")
        run.life = life
        if case .looked(let found) = event, found.isEmpty { self.noteAbsence(run) }
        for effect in effects { self.perform(effect, slot, number, &run) }
        if self.workers[slot].runs[number] != nil { self.workers[slot].runs[number] = run }
    }

    private mutating func perform(_ effect: JobEffect, _ slot: Int, _ number: Int, _ run: inout Run) {
        switch effect {
        case .surplus(let ids):
            self.ledger.remember(
                ids.compactMap { Int($0.rawValue) }.map { self.provider.credentials[$0] }, now: self.serverNow)
            self.committed()
        case .renewLease: self.renewLease(slot, number, &run)
        case .create: self.prepareCreate(slot, number)
        case .look: self.call(.look, slot, number, run)
        case .delete(let id):
            self.checkDelete(Int(id.rawValue) ?? 0, run)
            self.call(.delete(Int(id.rawValue) ?? 0), slot, number, run)
        case .record(let id): self.own(Int(id.rawValue) ?? 0, slot, number, run)
        case .closeGeneration(let id): self.finish(slot, number, .end(run, id.flatMap { Int($0.rawValue) }))
        case .finish: self.finish(slot, number, .end(run, nil))
        case .goToOtherGoal(let delay): self.finish(slot, number, .passOver(run, after: delay.wholeMilliseconds))
        case .schedule(let delay, let isCharged, let dropsTag):
            self.finish(
                slot, number,
                .move(
                    run, .scheduled, delay: delay.wholeMilliseconds, isCharged: isCharged, dropsTag: dropsTag,
                    landingTime: nil))
        case .doubt(let delay, let isCharged, let landingTime):
            self.finish(
                slot, number,
                .move(
                    run, .inDoubt, delay: delay.wholeMilliseconds, isCharged: isCharged,
                    landingTime: landingTime?.wholeMilliseconds))
        case .giveUp: self.finish(slot, number, .bury(run))
        }
    }

    /// Writes a new epoch and lease. When that fails, or its answer is lost, the job goes back into doubt. While its
    /// scope is stopped it is set aside, unless its node has not heard of the stop.
    private mutating func renewLease(_ slot: Int, _ number: Int, _ run: inout Run) {
        let server = self.server
        if self.ledger.stoppedUntil > self.serverNow, self.isPeace || !self.dice.chance(10) {
            return self.finish(slot, number, .setAside(run))
        }
        let (lease, era) = (run.lease, run.server)
        let isGivenUp = self.givesUp(on: { _ = $0.rearm(lease, era) })
        let epoch = isGivenUp ? nil : self.rearm(lease, era)
        guard let epoch, server == self.server, self.isPeace || !self.dice.chance(3) else {
            self.finish(slot, number, .move(run, .inDoubt, delay: 1000, isCharged: false, landingTime: nil))
            return
        }
        run.lease.epoch = epoch
        run.lease.state = .armed
        run.armedBy = server
        run.jumpsWhenArmed = self.jumpsAhead
        run.leaseEnd = self.now + Times.lease
    }

    private mutating func rearm(_ lease: Lease, _ era: Int) -> Int? {
        defer { self.committed() }
        return self.ledger.rearm(
            lease, lease: Times.lease, landingTime: self.landingTime, isSameServer: era == self.server,
            now: self.serverNow, self.mutant)
    }

    /// Records a credential, as `JobRun.own` does: with the password that was shown, or after asking for it by id.
    private mutating func own(_ id: Int, _ slot: Int, _ number: Int, _ run: Run) {
        let shown = self.mutant == .anothersPassword ? run.shown.last : run.shown.first { $0.id == id }
        guard let password = shown?.password else { return self.call(.retrieve(id), slot, number, run) }
        self.finish(slot, number, .record(run, id, password: password))
    }

    /// Puts the job in doubt, as `JobRun.lost` does: its credential is there, and its password could not be read.
    mutating func lose(_ slot: Int, _ number: Int) {
        guard var run = self.workers[slot].runs[number] else { return }
        run.life.isDoubtful = true
        run.hasFailed = true
        self.finish(slot, number, .move(run, .inDoubt, delay: 1000, isCharged: true, landingTime: self.landingTime))
    }

    /// Ends the run with a result that waits for the worker's next turn.
    mutating func finish(_ slot: Int, _ number: Int, _ write: Write) {
        self.note("worker \(slot) leaves \(write)")
        self.workers[slot].unwritten.append(write)
        self.workers[slot].runs[number] = nil
        self.wake(slot, at: self.now + 1)
    }
}
