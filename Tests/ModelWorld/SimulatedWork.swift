// SPDX-License-Identifier: Apache-2.0
// What workers do in the simulation: the loop of `OnboardingWorker` and the verbs of `JobRun`, around the production `step`.

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
        self.look(slot)
        self.housekeep(slot)
        self.wake(slot, at: self.now + (isWhole ? self.untilDue() : 250 + self.dice.upTo(2000)))
    }

    /// Whether the connection to this server dies here: before a transaction, or with its answer.
    private mutating func breaks(_ server: Int) -> Bool {
        server != self.server || !self.isPeace && self.dice.chance(2)
    }

    /// As `OnboardingWorker.exchange`: results and a claim in one pipeline, each a transaction; then what one statement for all
    /// could not decide. Whatever is not answered is written again. Answers whether all was.
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
            self.settle(write, isRecorded: isRecorded)
            self.committed()
        }
        if self.breaks(server) { return false }
        self.workers[slot].unwritten.removeFirst(writes.count)
        return true
    }

    private mutating func look(_ slot: Int) { _ = self.claim(.inDoubt, slot) }

    /// As `checkServer`: nothing is claimed from a server nobody has adopted.
    private mutating func meet(_ slot: Int) -> Bool {
        if self.database.started != self.server {
            self.database.adopt(
                self.server, self.lastChange, lease: Terms.lease, settle: self.settle, now: self.databaseNow)
            self.lastChange = .restart
            self.committed()
            return false
        }
        if self.workers[slot].knows != self.server {
            self.workers[slot].knows = self.server
            self.workers[slot].boot = self.nextBoot
            self.nextBoot += 1
        }
        return true
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
        self.database.rescue(now: self.databaseNow, settle: self.settle, gone: gone)
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
        case .move(let run, let state, let delay, let isCharged, let settle):
            self.database.move(
                run.lease, to: state, delay: delay, isCharged: isCharged, life: run.life, isFailure: run.hasFailed,
                settle: settle, now: now, self.mutant)
        case .end(let run, let id): self.database.end(run.lease, deleted: id, now: now, self.mutant)
        case .passOver(let run):
            self.database.end(run.lease, deleted: nil, passesOver: true, now: now, self.mutant)
        case .bury(let run):
            let before = self.database.dead.count
            self.database.bury(run.lease, mayExist: run.life.isDoubtful, now: now, self.mutant)
            if self.database.dead.count > before { self.tally.count(.burials) }
        }
        return nil
    }

    private mutating func settle(_ write: Write, isRecorded: Bool) {
        guard case .own(let run, let id, _) = write else { return }
        self.database.settle(
            run.lease, isRecorded: isRecorded, user: run.user, generation: run.life.generation, id: id,
            now: self.databaseNow, self.mutant)
        self.checkEvidence(run, id)
    }

    /// A provider id that somebody wrote down is never forgotten: it stands in the ledger, or its user has a job that will
    /// find it, or it is of a generation the ledger itself has lost.
    private mutating func checkEvidence(_ run: Run, _ id: Int) {
        let isKept =
            self.database.credentials.contains { $0.id == id } || self.database.surplus.contains { $0.id == id }
            || self.database.place(ofUser: run.user) != nil
            || (self.database.users[run.user]?.generation ?? 0) < run.life.generation
        if !isKept { self.fail("evidence of credential \(id) was dropped") }
    }

    // MARK: One run

    /// Asks `step` and does what it says, until a call is under way or a result is to be written.
    mutating func advance(_ slot: Int, _ number: Int, _ first: JobEvent) {
        guard var run = self.workers[slot].runs[number] else { return }
        var event: JobEvent? = first
        let settle = self.mutant == .settleZero ? Duration.zero : .milliseconds(Terms.settle)
        while let next = event {
            event = nil
            let empties = run.life.empties
            let (life, effects) = run.life.step(
                next, rules: LifeRules(settle: settle), jitter: Double(self.dice.upTo(1000)) / 1000)
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
        case .rearm:
            let server = self.server
            let epoch = self.database.rearm(
                run.lease, lease: Terms.lease, settle: self.settle, now: self.databaseNow, self.mutant)
            self.committed()
            guard let epoch, server == self.server, self.isPeace || !self.dice.chance(3) else {
                self.finish(slot, number, .move(run, .inDoubt, delay: 1000, isCharged: false, settle: nil))
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
        case .own(let id): self.own(Int(id.rawValue) ?? 0, slot, number, run)
        case .close(let id): self.finish(slot, number, .end(run, id.flatMap { Int($0.rawValue) }))
        case .end: self.finish(slot, number, .end(run, nil))
        case .passOver: self.finish(slot, number, .passOver(run))
        case .schedule(let delay, let isCharged, _):
            self.finish(
                slot, number, .move(run, .scheduled, delay: delay.wholeMilliseconds, isCharged: isCharged, settle: nil))
        case .doubt(let delay, let isCharged, let settle):
            self.finish(
                slot, number,
                .move(
                    run, .inDoubt, delay: delay.wholeMilliseconds, isCharged: isCharged,
                    settle: settle?.wholeMilliseconds))
        case .bury: self.finish(slot, number, .bury(run))
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
    private mutating func lose(_ slot: Int, _ number: Int) {
        guard var run = self.workers[slot].runs[number] else { return }
        run.life.isDoubtful = true
        run.hasFailed = true
        self.finish(slot, number, .move(run, .inDoubt, delay: 1000, isCharged: true, settle: self.settle))
    }

    private mutating func finish(_ slot: Int, _ number: Int, _ write: Write) {
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

    /// Whoever sends holds the job, unless a clock has jumped or the commits of its server are lost.
    private mutating func holds(_ run: Run) -> Bool {
        let isHeld = self.database.jobs.contains {
            $0.id == run.lease.job && $0.epoch == run.lease.epoch && $0.worker == run.lease.worker
                && $0.state == .armed && $0.leaseUntil > self.databaseNow
        }
        if !isHeld && !self.hasJumped && !(self.hasLostCommits && run.server != self.server) {
            self.fail("a create for user \(run.user) without authority")
        }
        return isHeld
    }

    /// What serves is not deleted before its successor is there. A revoke has closed it first; a worker whose knowledge is of
    /// another server may be wrong.
    private mutating func checkDelete(_ id: Int, _ run: Run) {
        guard run.server == self.server, self.database.started == self.server,
            let user = self.database.users[run.user], user.wanted == .live,
            self.database.credentials.contains(where: { $0.id == id && $0.status == .active })
        else { return }
        if !self.database.has(user.generation, of: run.user) {
            self.fail("credential \(id) is deleted while it is all user \(run.user) has")
        }
    }

    private func name(_ user: Int, _ generation: Generation) -> Int { user * 1000 + Int(generation) }

    /// After a create whose outcome nobody knows, another needs two empty answers.
    private mutating func checkProof(_ run: Run) {
        let name = self.name(run.user, run.life.generation)
        if let proof = self.proofs[name], proof.isOpen, proof.empties < 2 {
            self.fail("a second create for user \(run.user) after \(proof.empties) empty answers")
        }
        self.proofs[name] = Proof(empties: 0, isOpen: true)
    }

    private mutating func empty(_ run: Run) {
        self.proofs[self.name(run.user, run.life.generation)]?.empties += 1
    }

    // MARK: At the provider

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
        case 49..<57 where !self.isCalm:  // two of one request, at once or much later: only the sweep can find the second
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

    // MARK: Sweep

    mutating func sweep() {
        let pace = self.isPeace ? 60_000 : 8000
        self.queue.push(self.now + pace, .sweep)
        guard self.database.started == self.server else { return }
        // A list that is shorter than it says is taken again, so a sweep's has no shift.
        let listed = self.provider.list(now: self.now, shift: false) { _ in true }
        self.queue.push(
            self.now + self.dice.upTo(2000),
            .compare(listed, startedAt: self.databaseNow, server: self.server))
    }

    mutating func compare(_ listed: [ModelCredential], _ startedAt: Int, _ server: Int) {
        guard self.server == server, self.database.started == server else { return }
        self.tally.count(.sweeps)
        let now = self.databaseNow
        for found in listed {
            if self.mutant == .sweepWithoutProof, !self.database.credentials.contains(where: { $0.id == found.id }) {
                _ = self.provider.delete(found.id)
                self.deletedBySweep.insert(found.id)
                continue
            }
            self.database.explain(found, settle: self.settle, now: now)
        }
        let present = Set(listed.map(\.id))
        for row in self.database.credentials where row.status == .active {
            if present.contains(row.id) {
                if !self.provider.isLive(row.id) && self.provider.isThere(row.id) { self.reprovision(row.id, now) }
            } else if self.mutant == .vanishedByListing {
                self.reprovision(row.id, now)
            } else if row.createdAt + self.settle < now {
                self.miss(row, now)
            }
        }
        self.database.enqueueAllForgotten(now: now)
        let wasLost = self.database.looksFirst
        self.database.sweepEnded(startedAt: startedAt, server: server, met: present)
        // A full list after the quiet time is proof for every name, also those whose doubt was lost with its commit.
        if wasLost && !self.database.looksFirst { self.proofs = self.proofs.mapValues { _ in Proof() } }
        self.committed()
        self.wake()
    }

    /// Known and not listed: asked for by its id.
    private mutating func miss(_ row: ModelDatabase.Credential, _ now: Int) {
        let isLong = row.missingSince.map { $0 + self.settle < now } ?? false
        if self.provider.isLive(row.id) {
            self.database.missing(row.id, isMissing: false, now: now)
        } else if self.provider.isThere(row.id) || isLong {
            self.reprovision(row.id, now)
        } else {
            self.database.missing(row.id, isMissing: true, now: now)
        }
    }

    private mutating func reprovision(_ id: Int, _ now: Int) {
        if self.provider.isLive(id) { self.fail("a credential that is there is taken for vanished") }
        self.note("credential \(id) serves no more; the next generation opens")
        self.database.reprovision(id, now: now, self.mutant)
    }
}

extension Duration {
    var wholeMilliseconds: Int {
        Int(self.components.seconds * 1000 + self.components.attoseconds / 1_000_000_000_000_000)
    }
}
