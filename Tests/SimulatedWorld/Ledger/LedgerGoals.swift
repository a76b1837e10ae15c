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
        /// Whether it is the user's present generation, which is made, or looked at.
        var isWanted: Bool
    }

    /// Gives the job its next goal, as `NextGoal.choose` does, or ends it. With `passesOver` the job leaves its own
    /// generation for another first, and waits that long.
    mutating func chooseGoal(_ lease: Lease, passesOver: Int? = nil, _ now: Int, _ mutant: Mutant?) {
        guard let index = self.held(lease, mutant), let user = self.users[self.jobs[index].user] else { return }
        let key = self.jobs[index].user
        let open = self.credentials.filter { $0.user == key && $0.status != .deleted }
        var job = self.jobs[index]
        let hasWanted = user.wanted == .live && open.contains { $0.generation == user.generation }
        // It was looked at: its credential was found or made.
        if hasWanted { job.mustLook = false }
        let goals = self.goals(
            of: user, open, hasWanted: hasWanted, job, isPassingOver: passesOver != nil, now, mutant)
        if user.wanted == .live && hasWanted { self.users[key]?.status = .ready }
        if user.wanted == .gone && goals.isEmpty { self.users[key]?.status = .revoked }
        guard
            mutant != .jobDroppedAtFinish,
            let next = goals.min(by: { ($0.due, $0.order, $0.generation) < ($1.due, $1.order, $1.generation) })
        else {
            self.jobs.remove(at: index)
            return
        }
        let pause = passesOver ?? 0
        let isDead = next.due == Int.max
        let deadPause = job.isAwaited ? 0 : Times.deadPause << min(max(0, job.deaths - 1), 5)
        let due = isDead ? now + deadPause : max(next.due, now + pause)
        self.jobs[index] = self.next(
            job, generation: next.generation, due: due, looksFirst: job.mustLook && next.isWanted, now, mutant)
        if isDead { self.jobs[index].state = .dead }
        if user.status == .failed { self.jobs[index].deaths = job.deaths }
        if passesOver != nil { self.jobs[index].failures = job.failures + (pause > 0 ? 1 : 0) }
    }

    /// Returns all goals of a user who has these open credentials, and this job.
    private func goals(
        of user: User, _ open: [Credential], hasWanted: Bool, _ job: Job, isPassingOver: Bool, _ now: Int,
        _ mutant: Mutant?
    ) -> [Goal] {
        var goals: [Goal] = []
        func add(_ generation: Generation, due: Int, isWanted: Bool) {
            let turn = generation > job.generation ? 0 : generation < job.generation ? 1 : 2
            goals.append(
                Goal(
                    due: max(due, now), order: isPassingOver ? turn : isWanted ? 1 : 0, generation: generation,
                    isWanted: isWanted))
        }
        for credential in open where user.wanted == .gone || credential.generation != user.generation {
            guard credential.status == .closing || user.wanted == .gone || hasWanted else { continue }
            guard mutant != .oldGenerationNotClosed || credential.status == .closing else { continue }
            let due = user.wanted == .gone ? 0 : credential.closeAfter ?? 0
            add(credential.generation, due: due, isWanted: false)
        }
        // A user who has failed has a dead job again when nothing else is left to do.
        if user.wanted == .live && !hasWanted {
            add(user.generation, due: user.status == .failed ? Int.max : 0, isWanted: true)
        }
        if user.wanted == .gone && job.mustLook && job.generation != user.generation
            && !open.contains(where: { $0.generation == user.generation })
        {
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
            self.jobs[index] = self.next(
                job, generation: wanted, due: now, looksFirst: job.mustLook, now, mutant)
        } else {
            self.jobs[index].state = .inDoubt
            self.jobs[index].worker = nil
            self.jobs[index].runAt = now
        }
    }

    /// Returns the job for another generation. Its tries begin anew. A job that must look at the wanted one keeps its
    /// doubt until then.
    private func next(
        _ job: Job, generation: Generation, due: Int, looksFirst: Bool, _ now: Int, _ mutant: Mutant?
    ) -> Job {
        var next = Job(
            id: job.id, user: job.user, generation: generation, state: due <= now ? .queued : .scheduled,
            epoch: job.epoch, runAt: max(due, now))
        next.overlap = job.overlap
        guard job.mustLook, mutant != .mustLookForgotten else { return next }
        next.mustLook = !looksFirst
        next.isDoubtful = job.isDoubtful
        next.quietUntil = job.quietUntil
        if looksFirst || next.isDoubtful && next.state == .queued { next.state = .inDoubt }
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
