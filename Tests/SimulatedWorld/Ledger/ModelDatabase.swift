// SPDX-License-Identifier: Apache-2.0
// The ledger as the simulation has it: each method is one transaction of the production SQL, with the same guards.

import Lifecycle
import Model

/// What a worker holds of a job.
struct ModelLease: Equatable {
    var job: Int
    var epoch: Int
    var worker: Int
    var state: JobState
}

struct ModelDatabase {
    struct User {
        var wanted: Wanted
        var generation: Generation
        var occurredAt: Int
        var status: UserStatus
    }

    struct Job {
        var id: Int
        var user: Int
        var generation: Generation
        var state: JobState
        var epoch = 0
        var worker: Int?
        var leaseUntil = 0
        var quietUntil: Int?
        var runAt: Int
        var isDoubtful = false
        var attempts = 0
        var crashes = 0
        var failures = 0
        var empties = 0
        var overlap = 0
    }

    struct Credential {
        var user: Int
        var generation: Generation
        var id: Int
        var password: UInt64
        var status: CredentialStatus
        var closeAfter: Int?
        var missingSince: Int?
        var createdAt: Int
        var deletedAt: Int?
    }

    struct Dead {
        var user: Int
        var generation: Generation
        var maybeCreated: Bool
        var quietUntil: Int?
    }

    struct Surplus {
        var id: Int
        var user: Int
        var generation: Generation
        var isDeleted = false
    }

    /// Deliveries that are stored.
    var events: Set<Int> = []
    var users: [Int: User] = [:]
    var jobs: [Job] = []
    var credentials: [Credential] = []
    var dead: [Dead] = []
    var surplus: [Surplus] = []
    var strays: Set<Int> = []
    /// The server's start as the ledger knows it, and what the ledger is worth since.
    var started = 0
    var looksFirst = false
    var looksTwice = false
    var changedAt = 0
    var quietAfterChange = 0
    var sweepStartedAt = 0
    var nextJob = 0
    /// Whether some transaction took its locks in an order that another's can wait for crosswise.
    var hasCrossedLocks = false

    enum Lock: Int { case users, jobs }

    /// Every transaction that locks both takes them in this order.
    mutating func lock(_ order: Lock...) {
        if order.map(\.rawValue) != order.map(\.rawValue).sorted() { self.hasCrossedLocks = true }
    }

    // MARK: Intake

    /// One event, committed: `EventStatement.insert` and, behind a revoke, `EventStatement.amend`. A delivery that is known
    /// changes nothing.
    ///
    /// READ COMMITTED as it is: `start` is the ledger when the statement began. The user's row is the one that was locked, so
    /// it is new; every other table is as old as `start`. `amend` is a statement of its own: all that it reads is new.
    mutating func take(
        _ delivery: Int, user: Int, wanted: Wanted, occurredAt: Int, start: ModelDatabase? = nil, now: Int,
        _ mutant: Mutant? = nil
    ) {
        let start = start ?? self
        self.lock(.users, .jobs)
        guard self.events.insert(delivery).inserted else { return }
        guard var row = self.users[user] else {
            self.users[user] = User(
                wanted: wanted, generation: 1, occurredAt: occurredAt, status: wanted == .live ? .pending : .revoked)
            if wanted == .live { self.enqueue(user, now, notes: start.dead) }
            return
        }
        if row.wanted == wanted {
            self.users[user]?.occurredAt = max(row.occurredAt, occurredAt)
            return
        }
        guard wanted == .live ? occurredAt > row.occurredAt : occurredAt >= row.occurredAt else { return }
        row.wanted = wanted
        row.occurredAt = occurredAt
        row.status = wanted == .live ? .pending : .revoking
        if wanted == .live { row.generation += 1 }
        self.users[user] = row
        self.enqueue(user, now, notes: start.dead)
        switch (wanted, mutant) {
        case (.live, _), (.gone, .amendRemoved): return
        case (.gone, .decidedBeforeLocked): self.amend(user, credentials: start.credentials, notes: start.dead)
        case (.gone, _): self.amend(user, credentials: self.credentials, notes: self.dead)
        }
    }

    /// As `EventStatement.amend`, which reads these credentials and notes.
    private mutating func amend(_ user: Int, credentials: [Credential], notes: [Dead]) {
        let open = Set(credentials.filter { $0.user == user && $0.status != .deleted }.map(\.id))
        for place in self.credentials.indices
        where open.contains(self.credentials[place].id) && self.credentials[place].status != .deleted {
            self.credentials[place].status = .closing
            self.credentials[place].closeAfter = nil
        }
        guard let place = self.place(ofUser: user), self.jobs[place].state == .queued,
            let note = notes.last(where: { $0.user == user && $0.generation == self.jobs[place].generation })
        else { return }
        self.jobs[place].state = .inDoubt
        self.jobs[place].isDoubtful = note.maybeCreated
        self.jobs[place].quietUntil = note.quietUntil
    }

    mutating func rotate(_ user: Int, overlap: Int, now: Int) {
        guard var row = self.users[user], row.status == .ready else { return }
        row.generation += 1
        self.users[user] = row
        self.enqueue(user, now)
        guard let place = self.place(ofUser: user) else { return }
        self.jobs[place].overlap = overlap
        if self.jobs[place].state == .scheduled && !self.jobs[place].isDoubtful {
            self.jobs[place].generation = row.generation
            self.jobs[place].state = .queued
        }
    }

    mutating func retry(_ user: Int, now: Int) {
        guard self.users[user]?.status == .failed else { return }
        let isWanted = self.users[user]?.wanted == .live
        self.users[user]?.status = isWanted ? .pending : .revoking
        self.enqueue(user, now)
    }

    /// `notes` are the buried jobs that the statement sees; all of them, unless it says otherwise.
    mutating func enqueue(
        _ user: Int, _ now: Int, generation: Generation? = nil, looksFirst: Bool = false, notes: [Dead]? = nil
    ) {
        guard let generation = generation ?? self.users[user]?.generation else { return }
        if let place = self.place(ofUser: user) {
            if self.jobs[place].state == .scheduled { self.jobs[place].runAt = min(self.jobs[place].runAt, now) }
            return
        }
        let last = (notes ?? self.dead).last { $0.user == user && $0.generation == generation }
        var job = Job(
            id: self.nextJob, user: user, generation: generation,
            state: last == nil && !looksFirst ? .queued : .inDoubt, runAt: now)
        job.isDoubtful = last?.maybeCreated ?? false
        job.quietUntil = last?.quietUntil
        self.nextJob += 1
        self.jobs.append(job)
    }

    func place(ofUser user: Int) -> Int? { self.jobs.firstIndex { $0.user == user } }
}
