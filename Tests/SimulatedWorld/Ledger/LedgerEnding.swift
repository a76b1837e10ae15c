// SPDX-License-Identifier: Apache-2.0
// How a simulated job ends without a credential: its generation is closed, or the job is buried.

import Model

extension Ledger {
    /// Closes the job's generation, as `Ending` does. The provider said 200 or 404 to the delete of `deleted`; nil
    /// means that nothing of the generation is there.
    mutating func end(_ lease: Lease, deleted id: Int?, passesOver: Int? = nil, now: Int, _ mutant: Mutant?) {
        self.lock(.users, .jobs)
        if let id, let index = self.credentials.firstIndex(where: { $0.id == id && $0.status != .deleted }) {
            self.credentials[index].status = .deleted
            self.credentials[index].deletedAt = now
            self.credentials[index].closeAfter = nil
            self.changed(self.credentials[index].tag, now)
            self.openNext(self.credentials[index].user, mutant)
        }
        self.chooseGoal(lease, passesOver: passesOver, now, mutant)
    }

    /// Gives up, as `Burial` does: the user has failed, and the job is dead until it is tried again. A job whose
    /// generation is no longer wanted goes on instead. Returns whether the job has died.
    mutating func bury(_ lease: Lease, mayExist: Bool, now: Int, _ mutant: Mutant?) -> Bool {
        guard let index = self.held(lease, mutant), let user = self.users[self.jobs[index].user] else { return false }
        let job = self.jobs[index]
        guard
            user.wanted == .live && user.generation == job.generation && !self.has(job.generation, of: job.user)
        else {
            self.jobs[index].state = job.isDoubtful || mayExist ? .inDoubt : .queued
            self.jobs[index].isDoubtful = job.isDoubtful || mayExist
            self.jobs[index].worker = nil
            self.jobs[index].runAt = now
            self.jobs[index].attempts = 0
            self.jobs[index].crashes = 0
            return false
        }
        self.jobs[index].state = .dead
        self.jobs[index].isDoubtful = job.isDoubtful || mayExist
        self.jobs[index].worker = nil
        self.jobs[index].mustLook = false
        if !self.jobs[index].isDoubtful { self.jobs[index].tag = nil }
        self.jobs[index].runAt = job.isAwaited ? now : now + Times.deadPause << min(job.deaths, 5)
        self.jobs[index].isAwaited = false
        self.jobs[index].deaths += 1
        self.users[job.user]?.status = .failed
        return true
    }
}
