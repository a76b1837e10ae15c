// SPDX-License-Identifier: Apache-2.0
// How results get into the simulated ledger: each method is one transaction of the production SQL.

import Lifecycle
import Model

extension ModelDatabase {
    /// As `Evidence.record`: whether it was recorded, and whether that was its job's end. Nil for a user nobody knows.
    mutating func record(
        _ lease: ModelLease, user: Int, generation: Generation, id: Int, password: UInt64, overlap: Int, now: Int,
        _ mutant: Mutant?
    ) -> (isRecorded: Bool, isEnded: Bool)? {
        if mutant == .jobsLockedBeforeUsers { self.lock(.jobs, .users) } else { self.lock(.users, .jobs) }
        guard let row = self.users[user] else { return nil }
        let held = self.held(lease, mutant)
        if mutant == .evidenceDropped && held == nil { return nil }
        // Under the lock, whatever the claim has read.
        let isWanted = mutant == .recheckRemoved || row.wanted == .live && row.generation == generation
        let hasOtherGoals = self.credentials.contains { $0.user == user && $0.status != .deleted }
        let isRefused =
            self.credentials.contains { $0.id == id || $0.user == user && $0.generation == generation }
            || self.surplus.contains { $0.id == id }
        guard !isRefused, isWanted || held != nil else { return (false, false) }
        self.credentials.append(
            Credential(
                user: user, generation: generation, id: id, password: password,
                status: isWanted ? .active : .closing, createdAt: now))
        guard isWanted else { return (true, false) }
        self.users[user]?.status = .ready
        for place in self.credentials.indices
        where self.credentials[place].user == user && self.credentials[place].generation < generation
            && self.credentials[place].status == .active && mutant != .oldGenerationNotClosed
        {
            self.credentials[place].status = .closing
            self.credentials[place].closeAfter = now + overlap
        }
        guard let held, !hasOtherGoals || mutant == .recheckRemoved else { return (true, false) }
        self.jobs.remove(at: held)
        return (true, true)
    }

    /// As `FinishBatch.receive`: what becomes of a recorded one's job, or of one that could not be recorded.
    mutating func decide(
        _ lease: ModelLease, isRecorded: Bool, user: Int, generation: Generation, id: Int, now: Int, _ mutant: Mutant?
    ) {
        self.lock(.users, .jobs)
        if isRecorded { return self.chooseGoal(lease, now, mutant) }
        guard let row = self.users[user] else { return }
        // A generation the ledger has forgotten is nobody's surplus; the sweep finds it.
        let isTaken = self.credentials.contains { $0.user == user && $0.generation == generation }
        let isClosed = row.generation > generation || row.wanted == .gone && row.generation == generation
        let isKnown = self.credentials.contains { $0.id == id } || self.surplus.contains { $0.id == id }
        if !isKnown, isTaken || isClosed {
            self.surplus.append(Surplus(id: id, user: user, generation: generation))
        }
        self.openNext(user, mutant)
        self.lookAgain(lease, mutant, now)
    }

    /// As `NextGoal.lookAgain`.
    private mutating func lookAgain(_ lease: ModelLease, _ mutant: Mutant?, _ now: Int) {
        guard let place = self.held(lease, mutant), let wanted = self.users[self.jobs[place].user]?.generation else {
            return
        }
        let job = self.jobs[place]
        if job.generation < wanted {
            self.jobs[place] = self.next(job, generation: wanted, due: now, now)
        } else {
            self.jobs[place].state = .inDoubt
            self.jobs[place].worker = nil
            self.jobs[place].runAt = now
        }
    }

    /// The job for another generation, whose doubt and tries are its own: but for the doubt an earlier job of it died
    /// with.
    private func next(_ job: Job, generation: Generation, due: Int, _ now: Int) -> Job {
        var next = Job(
            id: job.id, user: job.user, generation: generation, state: due <= now ? .queued : .scheduled,
            epoch: job.epoch, runAt: max(due, now))
        if let last = self.dead.last(where: { $0.user == job.user && $0.generation == generation }) {
            if next.state == .queued { next.state = .inDoubt }
            next.isDoubtful = last.maybeCreated
            next.quietUntil = last.quietUntil
        }
        next.overlap = job.overlap
        return next
    }

    /// As `NextGoal.openNext`: a generation that is closed is never opened again.
    mutating func openNext(_ user: Int, _ mutant: Mutant?) {
        guard let row = self.users[user], row.wanted == .live, mutant != .reprovisionInSameGeneration else { return }
        let isClosed = self.credentials.contains {
            $0.user == user && $0.generation == row.generation && $0.status == .deleted
        }
        guard isClosed else { return }
        self.users[user]?.generation += 1
        self.users[user]?.status = .pending
    }

    /// As `Ending`: the provider said 200 or 404 to the delete of `deleted`, or there is proven to be nothing.
    mutating func end(_ lease: ModelLease, deleted id: Int?, passesOver: Int? = nil, now: Int, _ mutant: Mutant?) {
        self.lock(.users, .jobs)
        if let id, let place = self.credentials.firstIndex(where: { $0.id == id && $0.status != .deleted }) {
            self.credentials[place].status = .deleted
            self.credentials[place].deletedAt = now
            self.credentials[place].closeAfter = nil
            self.openNext(self.credentials[place].user, mutant)
        }
        self.chooseGoal(lease, passesOver: passesOver, now, mutant)
    }

    /// As `NextGoal.choose`.
    private mutating func chooseGoal(
        _ lease: ModelLease, passesOver: Int? = nil, _ now: Int, _ mutant: Mutant?
    ) {
        guard let place = self.held(lease, mutant), let user = self.users[self.jobs[place].user] else { return }
        let key = self.jobs[place].user
        let open = self.credentials.filter { $0.user == key && $0.status != .deleted }
        let hasWanted =
            user.wanted == .live && open.contains { $0.generation == user.generation }
        let own = self.jobs[place].generation
        var goals: [(due: Int, order: Int, generation: Generation)] = []
        func add(_ generation: Generation, due: Int, isWanted: Bool) {
            let turn = generation > own ? 0 : generation < own ? 1 : 2
            goals.append((max(due, now), passesOver != nil ? turn : isWanted ? 1 : 0, generation))
        }
        for credential in open where user.wanted == .gone || credential.generation != user.generation {
            guard credential.status == .closing || user.wanted == .gone || hasWanted else { continue }
            guard mutant != .oldGenerationNotClosed || credential.status == .closing else { continue }
            let due = user.wanted == .gone ? 0 : credential.closeAfter ?? 0
            add(credential.generation, due: due, isWanted: false)
        }
        if user.wanted == .live && !hasWanted && user.status != .failed {
            add(user.generation, due: 0, isWanted: true)
        }
        if user.wanted == .live && hasWanted { self.users[key]?.status = .ready }
        if user.wanted == .gone && open.isEmpty { self.users[key]?.status = .revoked }
        guard
            mutant != .jobDroppedAtFinish,
            let next = goals.min(by: { ($0.due, $0.order, $0.generation) < ($1.due, $1.order, $1.generation) })
        else {
            self.jobs.remove(at: place)
            return
        }
        let failures = self.jobs[place].failures
        let pause = passesOver ?? 0
        self.jobs[place] = self.next(
            self.jobs[place], generation: next.generation, due: max(next.due, now + pause), now)
        if passesOver != nil { self.jobs[place].failures = failures + (pause > 0 ? 1 : 0) }
    }

    /// As `Burial`.
    mutating func bury(_ lease: ModelLease, mayExist: Bool, now: Int, _ mutant: Mutant?) {
        guard let place = self.held(lease, mutant), let user = self.users[self.jobs[place].user] else { return }
        let job = self.jobs[place]
        guard
            user.wanted == .live && user.generation == job.generation && !self.has(job.generation, of: job.user)
        else {
            self.jobs[place].state = job.isDoubtful || mayExist ? .inDoubt : .queued
            self.jobs[place].isDoubtful = job.isDoubtful || mayExist
            self.jobs[place].worker = nil
            self.jobs[place].runAt = now
            self.jobs[place].attempts = 0
            self.jobs[place].crashes = 0
            return
        }
        self.jobs.remove(at: place)
        self.dead.append(
            Dead(
                user: job.user, generation: job.generation, maybeCreated: job.isDoubtful || mayExist,
                quietUntil: job.quietUntil))
        self.users[job.user]?.status = .failed
    }
}
