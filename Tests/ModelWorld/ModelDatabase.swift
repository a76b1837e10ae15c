// SPDX-License-Identifier: Apache-2.0
// The ledger as the simulation has it: each method is one transaction of the production SQL, with the same guards.

import Lifecycle
import Model

/// What is broken on purpose, to see that the simulation notices.
package enum Mutant: String, CaseIterable {
    case fenceRemoved, fenceByEpochAlone, evidenceDropped, settleZero, emptiesNotReset, doubtNotSticky
    case sweepWithoutProof, recheckRemoved, jobsLockedBeforeUsers, vanishedByListing, oldGenerationNotClosed
    case reprovisionInSameGeneration, deletedBeforeReplaced, jobDroppedAtFinish, anothersPassword
    case acknowledgedBeforeCommit
}

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
    /// Whether a job was moved by somebody who does not hold it.
    var hasForeignTransition = false

    enum Lock: Int { case users, jobs }

    /// Every transaction that locks both takes them in this order.
    mutating func lock(_ order: Lock...) {
        if order.map(\.rawValue) != order.map(\.rawValue).sorted() { self.hasCrossedLocks = true }
    }

    // MARK: Intake

    /// One event, committed; as `EventStatement`. A delivery that is known changes nothing.
    mutating func take(_ delivery: Int, user: Int, wanted: Wanted, occurredAt: Int, now: Int) {
        self.lock(.users, .jobs)
        guard self.events.insert(delivery).inserted else { return }
        guard var row = self.users[user] else {
            self.users[user] = User(
                wanted: wanted, generation: 1, occurredAt: occurredAt, status: wanted == .live ? .pending : .revoked)
            if wanted == .live { self.enqueue(user, now) }
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
        if wanted == .gone { self.closeAll(user) }
        self.enqueue(user, now)
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

    private mutating func closeAll(_ user: Int) {
        for place in self.credentials.indices
        where self.credentials[place].user == user && self.credentials[place].status != .deleted {
            self.credentials[place].status = .closing
            self.credentials[place].closeAfter = nil
        }
    }

    mutating func enqueue(_ user: Int, _ now: Int, generation: Generation? = nil, looksFirst: Bool = false) {
        guard let generation = generation ?? self.users[user]?.generation else { return }
        if let place = self.place(ofUser: user) {
            if self.jobs[place].state == .scheduled { self.jobs[place].runAt = min(self.jobs[place].runAt, now) }
            return
        }
        let last = self.dead.last { $0.user == user && $0.generation == generation }
        var job = Job(
            id: self.nextJob, user: user, generation: generation,
            state: last == nil && !looksFirst ? .queued : .inDoubt, runAt: now)
        job.isDoubtful = last?.maybeCreated ?? false
        job.quietUntil = last?.quietUntil
        self.nextJob += 1
        self.jobs.append(job)
    }

    // MARK: Claim

    /// As `ClaimedJob.claim`: the next job in this state that is due.
    mutating func claim(
        _ state: JobState, worker: Int, started: Int, lease: Int, now: Int, _ mutant: Mutant?
    ) -> (ModelLease, JobLife, user: Int, overlap: Int)? {
        guard self.started == started,
            let place = self.jobs.indices.first(where: { place in
                self.jobs[place].state == state && (state == .queued || self.jobs[place].runAt <= now)
            }), let user = self.users[self.jobs[place].user]
        else { return nil }
        let to: JobState = state == .queued ? .armed : .looking
        self.jobs[place].state = to
        self.jobs[place].epoch += 1
        self.jobs[place].worker = worker
        self.jobs[place].leaseUntil = now + lease
        let job = self.jobs[place]
        let recorded = self.credentials.first {
            $0.user == job.user && $0.generation == job.generation && $0.status != .deleted
        }
        let quiet = max(job.quietUntil ?? Int.min, self.looksTwice ? self.quietAfterChange : Int.min)
        let life = JobLife(
            generation: job.generation, phase: to == .armed ? .armed : .looking, wanted: user.wanted,
            wantedGeneration: user.generation, recorded: recorded.map { ProviderID(rawValue: "\($0.id)") },
            isBehind: mutant != .deletedBeforeReplaced && user.wanted == .live && user.status != .failed
                && user.generation > job.generation && !self.has(user.generation, of: job.user)
                && recorded.map { $0.status == .active || ($0.closeAfter ?? 0) > now || job.failures > 0 } ?? false,
            servesFor: recorded?.closeAfter.map { .milliseconds($0 - now) }, isDoubtful: job.isDoubtful,
            attempts: job.attempts, crashes: job.crashes, failures: job.failures,
            empties: job.empties, quietIn: quiet == Int.min ? nil : .milliseconds(quiet - now),
            trust: LedgerTrust(
                looksFirst: self.looksFirst || !self.strays.isEmpty, looksTwice: self.looksTwice, isStopped: false))
        return (ModelLease(job: job.id, epoch: job.epoch, worker: worker, state: to), life, job.user, job.overlap)
    }

    /// Whether this generation is recorded and not deleted.
    func has(_ generation: Generation, of user: Int) -> Bool {
        self.credentials.contains { $0.user == user && $0.generation == generation && $0.status != .deleted }
    }

    // MARK: Finish

    /// Where the job stands that this lease still holds.
    mutating func held(_ lease: ModelLease, _ mutant: Mutant?) -> Int? {
        guard let place = self.jobs.firstIndex(where: { $0.id == lease.job }) else { return nil }
        let job = self.jobs[place]
        let isHolder = job.epoch == lease.epoch && job.worker == lease.worker && job.state == lease.state
        let isLetThrough =
            switch mutant {
            case .fenceRemoved: true
            case .fenceByEpochAlone: job.epoch == lease.epoch
            default: isHolder
            }
        // Authority, looked at from beside the fence.
        if isLetThrough && !isHolder { self.hasForeignTransition = true }
        return isLetThrough ? place : nil
    }

    /// As `JobQueue.move`.
    mutating func move(
        _ lease: ModelLease, to state: JobState, delay: Int, isCharged: Bool, life: JobLife, isFailure: Bool,
        settle: Int?, now: Int, _ mutant: Mutant?
    ) {
        guard let place = self.held(lease, mutant) else { return }
        if mutant == .doubtNotSticky && state == .inDoubt && life.phase == .looking && isFailure {
            self.jobs[place].state = .queued
            self.jobs[place].isDoubtful = false
            return
        }
        self.jobs[place].state = state
        self.jobs[place].worker = nil
        self.jobs[place].runAt = now + delay
        self.jobs[place].attempts += isCharged ? 1 : 0
        self.jobs[place].failures = isFailure ? self.jobs[place].failures + 1 : 0
        self.jobs[place].empties = life.empties
        self.jobs[place].isDoubtful = self.jobs[place].isDoubtful || life.isDoubtful
        if let settle { self.jobs[place].quietUntil = max(self.jobs[place].quietUntil ?? 0, now + settle) }
    }

    /// As `JobQueue.rearm`: the new epoch, or nil.
    mutating func rearm(_ lease: ModelLease, lease length: Int, settle: Int, now: Int, _ mutant: Mutant?) -> Int? {
        guard let place = self.held(lease, mutant) else { return nil }
        self.jobs[place].state = .armed
        self.jobs[place].epoch += 1
        if mutant != .emptiesNotReset { self.jobs[place].empties = 0 }
        self.jobs[place].failures = 0
        self.jobs[place].leaseUntil = now + length
        self.jobs[place].quietUntil = now + length + settle
        return self.jobs[place].epoch
    }

    /// As `Evidence.record` with its `settle`.
    mutating func own(
        _ lease: ModelLease, user: Int, generation: Generation, id: Int, password: UInt64, overlap: Int, now: Int,
        _ mutant: Mutant?
    ) {
        if mutant == .jobsLockedBeforeUsers { self.lock(.jobs, .users) } else { self.lock(.users, .jobs) }
        guard let row = self.users[user] else { return }
        let isHeld = self.held(lease, mutant) != nil
        if mutant == .evidenceDropped && !isHeld { return }
        // Under the lock, whatever the claim has read.
        let isWanted = mutant == .recheckRemoved || row.wanted == .live && row.generation == generation
        let isKnown = self.credentials.contains { $0.id == id }
        let isTaken = self.credentials.contains { $0.user == user && $0.generation == generation }
        let isSurplus = self.surplus.contains { $0.id == id }
        if !isKnown && !isTaken && !isSurplus && (isWanted || isHeld) {
            self.credentials.append(
                Credential(
                    user: user, generation: generation, id: id, password: password,
                    status: isWanted ? .active : .closing, createdAt: now))
            if isWanted {
                self.users[user]?.status = .ready
                for place in self.credentials.indices
                where self.credentials[place].user == user && self.credentials[place].generation < generation
                    && self.credentials[place].status == .active && mutant != .oldGenerationNotClosed
                {
                    self.credentials[place].status = .closing
                    self.credentials[place].closeAfter = now + overlap
                }
            }
            if mutant == .recheckRemoved {
                if let place = self.held(lease, mutant) { self.jobs.remove(at: place) }
            } else {
                self.chooseGoal(lease, now, mutant)
            }
            return
        }
        // A generation the ledger has forgotten is nobody's surplus; the sweep finds it.
        let isClosed = row.generation > generation || row.wanted == .gone && row.generation == generation
        if !isKnown, !isSurplus, isTaken || isClosed {
            self.surplus.append(Surplus(id: id, user: user, generation: generation))
        }
        self.openNext(user, mutant)
        guard let place = self.held(lease, mutant), let wanted = self.users[user]?.generation else { return }
        let isOlder = self.jobs[place].generation < wanted
        self.jobs[place].state = isOlder ? .queued : .inDoubt
        self.jobs[place].isDoubtful = self.jobs[place].isDoubtful && !isOlder
        self.jobs[place].generation = max(self.jobs[place].generation, wanted)
        self.jobs[place].worker = nil
        self.jobs[place].runAt = now
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
    mutating func end(_ lease: ModelLease, deleted id: Int?, passesOver: Bool = false, now: Int, _ mutant: Mutant?) {
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
        _ lease: ModelLease, passesOver: Bool = false, _ now: Int, _ mutant: Mutant?
    ) {
        guard let place = self.held(lease, mutant), let user = self.users[self.jobs[place].user] else { return }
        let key = self.jobs[place].user
        let open = self.credentials.filter { $0.user == key && $0.status != .deleted }
        let hasWanted =
            user.wanted == .live && open.contains { $0.generation == user.generation }
        var goals: [(order: Int, due: Int, generation: Generation)] = []
        for credential in open where user.wanted == .gone || credential.generation != user.generation {
            guard credential.status == .closing || user.wanted == .gone || hasWanted else { continue }
            guard mutant != .oldGenerationNotClosed || credential.status == .closing else { continue }
            let due = user.wanted == .gone ? 0 : credential.closeAfter ?? 0
            goals.append((passesOver || due > now ? 2 : 0, due, credential.generation))
        }
        if user.wanted == .live && !hasWanted && user.status != .failed { goals.append((1, 0, user.generation)) }
        if user.wanted == .live && hasWanted { self.users[key]?.status = .ready }
        if user.wanted == .gone && open.isEmpty { self.users[key]?.status = .revoked }
        guard
            mutant != .jobDroppedAtFinish,
            let next = goals.min(by: { ($0.order, $0.due, $0.generation) < ($1.order, $1.due, $1.generation) })
        else {
            self.jobs.remove(at: place)
            return
        }
        var job = Job(
            id: self.jobs[place].id, user: key, generation: next.generation,
            state: next.due <= now ? .queued : .scheduled, epoch: self.jobs[place].epoch, runAt: max(next.due, now))
        if let last = self.dead.last(where: { $0.user == key && $0.generation == next.generation }) {
            if job.state == .queued { job.state = .inDoubt }
            job.isDoubtful = last.maybeCreated
            job.quietUntil = last.quietUntil
        }
        job.overlap = self.jobs[place].overlap
        self.jobs[place] = job
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

    func place(ofUser user: Int) -> Int? { self.jobs.firstIndex { $0.user == user } }
}
