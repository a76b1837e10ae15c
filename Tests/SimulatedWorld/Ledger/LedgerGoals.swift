// SPDX-License-Identifier: Apache-2.0
// The next goal of a simulated job when one generation of its user is finished.

import Model

extension Ledger {
    /// Something left to do for a user: a generation to make, or one to delete.
    private struct Goal {
        var due: Int
        /// Breaks a tie between goals that are due at the same time; the lowest goes first.
        var order: Int
        var generation: Generation
    }

    /// Gives the job its next goal, as `NextGoal.choose` does, or ends it. With `passesOver` the job leaves its own
    /// generation for another first, and waits that long.
    mutating func chooseGoal(_ lease: Lease, passesOver: Int? = nil, _ now: Int, _ mutant: Mutant?) {
        guard let index = self.held(lease, mutant), let user = self.users[self.jobs[index].user] else { return }
        let key = self.jobs[index].user
        let open = self.credentials.filter { $0.user == key && $0.status != .deleted }
        let hasWanted = user.wanted == .live && open.contains { $0.generation == user.generation }
        let goals = self.goals(
            of: user, open, hasWanted: hasWanted, own: self.jobs[index].generation, isPassingOver: passesOver != nil,
            now, mutant)
        if user.wanted == .live && hasWanted { self.users[key]?.status = .ready }
        if user.wanted == .gone && open.isEmpty { self.users[key]?.status = .revoked }
        guard
            mutant != .jobDroppedAtFinish,
            let next = goals.min(by: { ($0.due, $0.order, $0.generation) < ($1.due, $1.order, $1.generation) })
        else {
            self.jobs.remove(at: index)
            return
        }
        let failures = self.jobs[index].failures
        let pause = passesOver ?? 0
        self.jobs[index] = self.next(
            self.jobs[index], generation: next.generation, due: max(next.due, now + pause), now)
        if passesOver != nil { self.jobs[index].failures = failures + (pause > 0 ? 1 : 0) }
    }

    /// Returns all goals of a user who has these open credentials. `own` is the generation of the job.
    private func goals(
        of user: User, _ open: [Credential], hasWanted: Bool, own: Generation, isPassingOver: Bool, _ now: Int,
        _ mutant: Mutant?
    ) -> [Goal] {
        var goals: [Goal] = []
        func add(_ generation: Generation, due: Int, isWanted: Bool) {
            let turn = generation > own ? 0 : generation < own ? 1 : 2
            goals.append(
                Goal(due: max(due, now), order: isPassingOver ? turn : isWanted ? 1 : 0, generation: generation))
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
        return goals
    }

    /// Puts the job back to look, as `NextGoal.lookAgain` does, or turns it to a later generation that is wanted now.
    mutating func lookAgain(_ lease: Lease, _ mutant: Mutant?, _ now: Int) {
        guard let index = self.held(lease, mutant), let wanted = self.users[self.jobs[index].user]?.generation else {
            return
        }
        let job = self.jobs[index]
        if job.generation < wanted {
            self.jobs[index] = self.next(job, generation: wanted, due: now, now)
        } else {
            self.jobs[index].state = .inDoubt
            self.jobs[index].worker = nil
            self.jobs[index].runAt = now
        }
    }

    /// Returns the job for another generation. Its tries begin anew. Its doubt is that of an earlier job of the same
    /// generation that was buried, if there was one.
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

    /// Opens the next generation when the wanted one is closed, as `NextGoal.openNext` does. A closed generation is
    /// never opened again.
    mutating func openNext(_ user: Int, _ mutant: Mutant?) {
        guard let row = self.users[user], row.wanted == .live, mutant != .reprovisionInSameGeneration else { return }
        let isClosed = self.credentials.contains {
            $0.user == user && $0.generation == row.generation && $0.status == .deleted
        }
        guard isClosed else { return }
        self.users[user]?.generation += 1
        self.users[user]?.status = .pending
    }
}
