// SPDX-License-Identifier: Apache-2.0
// How webhooks and operators change what is wanted, and how the job that follows gets into the simulated queue.

import Model

extension Ledger {
    /// Stores one event, as `EventStatement.insert` does, and after a revoke also `EventStatement.amend`. A delivery
    /// that is known changes nothing.
    ///
    /// The transaction is READ COMMITTED. `start` is the ledger when the statement began; nil means now. The statement
    /// locks its user's row, so it reads the newest version of that row. Every other table is as old as `start`.
    /// `amend` is a statement of its own, so all that it reads is new.
    mutating func take(
        _ delivery: Int, user: Int, wanted: Wanted, occurredAt: Int?, start: Ledger? = nil, now: Int,
        _ mutant: Mutant? = nil
    ) {
        let start = start ?? self
        self.lock(.users, .jobs)
        guard self.events.insert(delivery).inserted else { return }
        guard var row = self.users[user] else {
            self.users[user] = User(
                wanted: wanted, generation: 1, occurredAt: occurredAt, status: wanted == .live ? .pending : .revoked,
                receivedAt: now)
            if wanted == .live { self.enqueue(user, now) }
            return
        }
        if row.wanted == wanted {
            if let occurredAt { self.users[user]?.occurredAt = max(row.occurredAt ?? occurredAt, occurredAt) }
            // A duplicate asks for another try.
            if row.status == .failed {
                self.users[user]?.status = .pending
                self.enqueue(user, now, mutant: mutant)
            }
            return
        }
        guard Self.prevails(wanted, occurredAt, over: row.occurredAt) else { return }
        row.wanted = wanted
        row.occurredAt = occurredAt
        row.receivedAt = now
        row.status = wanted == .live ? .pending : .revoking
        if wanted == .live { row.generation += 1 }
        self.users[user] = row
        self.enqueue(user, now, mutant: mutant)
        switch (wanted, mutant) {
        case (.live, _), (.gone, .amendRemoved): return
        case (.gone, .decidedBeforeLocked): self.amend(user, credentials: start.credentials)
        case (.gone, _): self.amend(user, credentials: self.credentials)
        }
    }

    /// Whether a word changes what is wanted. A revoke wins ties, and stands when either time is unknown.
    private static func prevails(_ wanted: Wanted, _ time: Int?, over known: Int?) -> Bool {
        guard let time, let known else { return wanted == .gone }
        return wanted == .live ? time > known : time >= known
    }

    /// Signs a revoked user up again, as the operator's `user reopen` does.
    mutating func reopen(_ user: Int, now: Int) {
        guard let row = self.users[user], row.wanted == .gone else { return }
        self.users[user]?.wanted = .live
        self.users[user]?.generation += 1
        self.users[user]?.status = .pending
        self.users[user]?.receivedAt = now
        self.enqueue(user, now)
    }

    /// Closes the user's credentials after a revoke, as `EventStatement.amend` does. The parameters are what the
    /// statement reads.
    private mutating func amend(_ user: Int, credentials: [Credential]) {
        let open = Set(credentials.filter { $0.user == user && $0.status != .deleted }.map(\.id))
        for index in self.credentials.indices
        where open.contains(self.credentials[index].id) && self.credentials[index].status != .deleted {
            self.credentials[index].status = .closing
            self.credentials[index].closeAfter = nil
        }
    }

    /// Opens the next generation, as the operator's `user rotate` does.
    mutating func rotate(_ user: Int, overlap: Int, now: Int) {
        guard var row = self.users[user], row.status == .ready else { return }
        row.generation += 1
        self.users[user] = row
        self.enqueue(user, now)
        guard let index = self.jobIndex(ofUser: user) else { return }
        self.jobs[index].overlap = overlap
        if self.jobs[index].state == .scheduled && !self.jobs[index].isDoubtful {
            self.jobs[index].generation = row.generation
            self.jobs[index].state = .queued
            self.jobs[index].isAside = false
        }
    }

    /// Tries a failed user again, as the operator's `user retry` does.
    mutating func retry(_ user: Int, now: Int, _ mutant: Mutant?) {
        guard self.users[user]?.status == .failed else { return }
        let isWanted = self.users[user]?.wanted == .live
        self.users[user]?.status = isWanted ? .pending : .revoking
        self.enqueue(user, now, mutant: mutant)
    }

    /// Gives the user a job, as `JobQueue.enqueue` does. A job that is there keeps its place, and is due now if it
    /// waits for its time. A dead job looks now.
    mutating func enqueue(
        _ user: Int, _ now: Int, generation: Generation? = nil, looksFirst: Bool = false, mutant: Mutant? = nil
    ) {
        guard let generation = generation ?? self.users[user]?.generation else { return }
        if let index = self.jobIndex(ofUser: user) {
            switch self.jobs[index].state {
            case .scheduled, .inDoubt:
                self.jobs[index].runAt = min(self.jobs[index].runAt, now)
                self.jobs[index].isAside = false
            case .dead: self.revive(index, now, mutant)
            case .armed, .looking: self.jobs[index].isAwaited = true
            case .queued: break
            }
            return
        }
        let job = Job(
            id: self.nextJob, user: user, generation: generation, state: looksFirst ? .inDoubt : .queued, runAt: now)
        self.nextJob += 1
        self.jobs.append(job)
    }
}
