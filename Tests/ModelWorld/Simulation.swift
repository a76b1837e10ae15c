// SPDX-License-Identifier: Apache-2.0
// One seed: a few users, two or more workers, a ledger and a provider under every fault there is, in virtual time.

import Lifecycle
import Model

/// Repeatable randomness (SplitMix64).
struct Dice: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { self.state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var z = self.state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func upTo(_ limit: Int) -> Int { Int(self.next() % UInt64(max(1, limit))) }
    mutating func chance(_ percent: Int) -> Bool { self.upTo(100) < percent }
}

/// What went against the promise, and when.
package struct Violation: Error, CustomStringConvertible {
    let seed: UInt64
    let life: String
    let what: String
    let trace: [String]
    package var description: String { "seed \(self.seed)\(self.life): \(self.what)\n" + self.trace.joined(separator: "\n") }
}

/// Times in milliseconds.
enum Terms {
    static let lease = 30_000
    static let deadline = 10_000
    static let margin = 30_000
    static let settle = deadline + margin
    /// Faults end here.
    static let storm = 150_000
    /// And here all must be at rest.
    static let end = 1_400_000
}

/// A request on its way to the provider, and whose it is.
struct Call {
    enum Kind {
        case create, look, retrieve(Int), delete(Int), deleteSurplus(Int)
    }
    var kind: Kind
    var slot: Int
    var boot: Int
    var run: Int
    var user: Int
    var generation: Generation
    var isZombie = false
    /// The provider's own second one of a request.
    var isSecond = false
}

enum Occurrence {
    case tick(Int)
    /// A worker's run has all it needs for its create.
    case send(Int, run: Int)
    case arrive(Call)
    case reply(Call, Answer)
    case webhook(Int)
    /// The commit of a delivery that was acknowledged before, by an intake that is broken; of this server.
    case lateCommit(Int, server: Int)
    case replay
    case sweep
    case compare([ModelCredential], startedAt: Int, server: Int)
    case fault
    case rotate(Int)
    case peace
    case retryFailed
}

enum Answer {
    case event(JobEvent)
    case created(Shown)
    /// Live credentials a list has shown, oldest first.
    case listed([Shown])
    case retrieved(Shown)
    case deleted
    case failed
}

/// A credential as an answer shows it: a list may leave the password out.
struct Shown {
    var id: Int
    var password: UInt64?
}

/// One run of one job by one worker.
struct Run {
    var lease: ModelLease
    var life: JobLife
    var user: Int
    var overlap: Int
    var leaseEnd: Int
    var server: Int
    let isFromDoubt: Bool
    /// Whether its own create was answered.
    var hasCreated = false
    var hasFailed = false
    /// What the last answer has shown.
    var shown: [Shown] = []
}

enum Write {
    case own(Run, Int, password: UInt64)
    case move(Run, JobState, delay: Int, isCharged: Bool, settle: Int?)
    case end(Run, Int?)
    case passOver(Run)
    case bury(Run)

    var run: Run {
        switch self {
        case .own(let run, _, _), .move(let run, _, _, _, _), .end(let run, _), .passOver(let run), .bury(let run): run
        }
    }
}

struct ModelWorker {
    /// Changes with every boot and every server.
    var boot: Int
    var knows: Int?
    var isAlive = true
    var pausedUntil = 0
    var nextTick: Int?
    var runs: [Int: Run] = [:]
    var unwritten: [Write] = []
    /// Whether the last exchange was broken off.
    var hasFailed = false
}

/// What a sender said, and whether it was told that this is stored.
struct Webhook {
    var user: Int
    var wanted: Wanted
    var occurredAt: Int
    var isAcknowledged = false
}

/// What goes wrong in a life, beside the provider.
package enum Trouble: Sendable {
    /// Everything, by chance.
    case anything
    /// A worker is killed before the n-th occurrence; nothing else.
    case kill(occurrence: Int, slot: Int)
    /// The server crashes after its n-th commit, which stands; nothing else.
    case crash(commit: Int)
    /// The first claim is lost in a promotion, and everybody stands still until the ledger is trusted again; nothing else.
    case lostClaim
    case nothing

    var isByChance: Bool {
        switch self {
        case .anything: true
        case .kill, .crash, .lostClaim, .nothing: false
        }
    }
}

package struct Simulation {
    let seed: UInt64
    let mutant: Mutant?
    /// Only what the protocol itself must repair; no sweep. Otherwise everything, and the sweep throughout.
    let isCalm: Bool
    let trouble: Trouble
    var dice: Dice
    var now = 0
    var queue = Heap()
    var database = ModelDatabase()
    var provider = ModelProvider()
    var workers: [ModelWorker]
    var webhooks: [Webhook] = []

    /// The server: which start it is, how far its clock is off, what a fail-over would bring back.
    var server = 1
    var clockOffset = 0
    var lastChange = ModelDatabase.Change.restart
    var standby: ModelDatabase
    var hasJumped = false
    /// Per hundred commits, after how many the standby has all: one that keeps up, or lags a little or far behind.
    let replication: Int
    /// Commits the standby does not have, and whether a promotion has ever lost any.
    var unreplicated = 0
    var hasLostCommits = false

    var isPeace = false
    package private(set) var occurrences = 0
    package private(set) var commits = 0
    package internal(set) var tally = Tally()
    var nextBoot = 100
    var nextRun = 0
    var deadBoots: [Int: Int] = [:]
    var proofs: [Int: Proof] = [:]
    var deletedBySweep: Set<Int> = []
    /// Until when no call reaches the provider.
    var blackoutUntil = 0
    /// Users whose creates the provider rejects, and from when on.
    var unwelcome: [Int: Int] = [:]
    let trace: Trace?
    var failure: String?

    /// What happened, for a seed that failed. A class, so that telling changes nothing.
    final class Trace { var lines: [String] = [] }

    /// For one name: empty answers since a create was sent for it whose outcome nobody knows.
    struct Proof {
        var empties = 0
        var isOpen = false
    }

    package init(
        seed: UInt64, hasSweep: Bool, trouble: Trouble = .anything, mutant: Mutant? = nil, isTraced: Bool = false
    ) {
        self.seed = seed
        self.mutant = mutant
        self.trouble = trouble
        self.isCalm = !hasSweep
        self.dice = Dice(seed)
        self.replication = [50, 10, 3][self.dice.upTo(3)]
        self.workers = (0..<(2 + (seed % 8 == 7 ? 1 : 0))).map { ModelWorker(boot: $0 + 1) }
        self.standby = ModelDatabase()
        self.trace = isTraced ? Trace() : nil
        self.database.started = self.server
        self.standby = self.database
    }

    var settle: Int { self.mutant == .settleZero ? 0 : Terms.settle }
    var databaseNow: Int { self.now + self.clockOffset }

    func note(_ text: @autoclosure () -> String) { self.trace?.lines.append("\(self.now) \(text())") }

    mutating func fail(_ what: String) {
        if self.failure == nil { self.failure = "\(what) (at \(self.now) ms)" }
        self.note("VIOLATION \(what)")
    }

    /// Throws what went wrong, if anything did.
    package mutating func run() throws(Violation) {
        self.schedule()
        while let (time, occurrence) = self.queue.pop(), time <= Terms.end, self.failure == nil {
            self.now = time
            if case .kill(self.occurrences, let slot) = self.trouble { self.kill(slot) }
            self.occurrences += 1
            self.happen(occurrence)
        }
        if self.failure == nil { self.judge() }
        if let failure {
            let life = (self.isCalm ? " without the sweep" : "") + (self.trouble.isByChance ? "" : " \(self.trouble)")
            throw Violation(seed: self.seed, life: life, what: failure, trace: self.trace?.lines ?? [])
        }
    }

    private mutating func schedule() {
        if self.trouble.isByChance {
            self.scheduleAnything()
        } else if self.isCalm {
            self.scheduleWebhooks(users: 1 + self.dice.upTo(2))
        } else {
            self.scheduleWholeLife()
        }
        self.queue.push(Terms.storm + 1000, .replay)
        for slot in self.workers.indices { self.wake(slot, at: self.dice.upTo(500)) }
        self.queue.push(Terms.storm, .peace)
        if !self.isCalm { self.queue.push(5000, .sweep) }
        self.queue.push(Terms.storm + 400_000, .retryFailed)
        self.queue.push(Terms.storm + 600_000, .retryFailed)
    }

    private mutating func scheduleAnything() {
        let users = 1 + self.dice.upTo(2)
        if self.dice.chance(3) { self.unwelcome[self.dice.upTo(users)] = self.dice.upTo(Terms.storm) }
        let times = self.scheduleWebhooks(users: users)
        for _ in 0..<2 + self.dice.upTo(8) {
            // Anywhere, or in the middle of what a webhook has begun.
            let isNear = self.dice.chance(60)
            let time = isNear ? times[self.dice.upTo(times.count)] + self.dice.upTo(500) : self.dice.upTo(Terms.storm)
            self.queue.push(time, .fault)
        }
        for _ in 0..<self.dice.upTo(3) {
            self.queue.push(self.dice.upTo(Terms.storm), .rotate(self.dice.upTo(users)))
        }
    }

    /// Answers when they come.
    @discardableResult
    private mutating func scheduleWebhooks(users: Int) -> [Int] {
        for user in 0..<users {
            let count = 1 + self.dice.upTo(4)
            var wanted = Wanted.live
            for number in 0..<count {
                self.webhooks.append(Webhook(user: user, wanted: wanted, occurredAt: 1000 + number * 10 + user))
                if self.dice.chance(80) { wanted = wanted == .live ? .gone : .live }
            }
        }
        var times: [Int] = []
        for place in self.webhooks.indices {
            // Sometimes out of order, sometimes twice.
            for _ in 0..<(self.dice.chance(20) ? 2 : 1) {
                times.append(self.dice.upTo(Terms.storm * 2 / 3))
                self.queue.push(times[times.count - 1], .webhook(place))
            }
        }
        return times
    }

    /// A sign-up, a rotation, a revoke and a sign-up again.
    private mutating func scheduleWholeLife() {
        let wishes: [Wanted] = if case .lostClaim = self.trouble { [.live] } else { [.live, .gone, .live] }
        for (number, wanted) in wishes.enumerated() {
            self.webhooks.append(Webhook(user: 0, wanted: wanted, occurredAt: 1000 + number))
            self.queue.push(number * 40_000 + self.dice.upTo(10_000), .webhook(number))
        }
        self.queue.push(15_000 + self.dice.upTo(20_000), .rotate(0))
    }

    private mutating func happen(_ occurrence: Occurrence) {
        switch occurrence {
        case .tick(let slot):
            guard self.workers[slot].nextTick == self.now else { return }
            self.workers[slot].nextTick = nil
            self.tick(slot)
        case .arrive(let call): self.arrive(call)
        case .reply(let call, let answer): self.reply(call, answer)
        case .webhook(let place): self.deliver(place)
        case .lateCommit(let place, let server): if server == self.server { self.take(place) }
        case .replay:
            // Acknowledged events that a promotion has lost come again from their senders; no others do.
            for place in self.hasLostCommits ? Array(self.webhooks.indices) : [] { self.deliver(place) }
        case .sweep: self.sweep()
        case .compare(let listed, let startedAt, let server): self.compare(listed, startedAt, server)
        case .send(let slot, let run): self.send(slot, run)
        case .fault: self.fault()
        case .rotate(let user): self.rotate(user)
        case .peace: self.makePeace()
        case .retryFailed:
            if self.isCalm { self.database.looksFirst = false }
            // An operator has read the report.
            for id in self.database.strays.sorted() { _ = self.provider.delete(id) }
            for user in self.database.users.keys.sorted() { self.database.retry(user, now: self.databaseNow) }
            self.committed()
            self.wake()
        }
    }

    // MARK: Senders and operators

    /// Until the sender is told that its event is stored it comes again.
    private mutating func deliver(_ place: Int) {
        if !self.isPeace && self.dice.chance(5) { return self.deliverAgain(place) }
        if self.mutant == .acknowledgedBeforeCommit {
            self.webhooks[place].isAcknowledged = true
            return self.queue.push(self.now + self.dice.upTo(2000), .lateCommit(place, server: self.server))
        }
        let server = self.server
        self.take(place)
        if server != self.server || !self.isPeace && self.dice.chance(10) { return self.deliverAgain(place) }
        self.webhooks[place].isAcknowledged = true
    }

    private mutating func deliverAgain(_ place: Int) {
        self.note("delivery \(place) is not acknowledged")
        self.queue.push(self.now + 2000, .webhook(place))
    }

    private mutating func take(_ place: Int) {
        let webhook = self.webhooks[place]
        self.note("webhook user \(webhook.user) \(webhook.wanted) \(webhook.occurredAt)")
        let before = self.database.users[webhook.user]
        self.database.take(
            place, user: webhook.user, wanted: webhook.wanted, occurredAt: webhook.occurredAt, now: self.databaseNow)
        switch (before?.wanted, self.database.users[webhook.user]?.wanted) {
        case (.live, .gone): self.tally.count(.revokes)
        case (.gone, .live): self.tally.count(.signedUpAgain)
        case (.live, .live), (.gone, .gone), (.none, _), (_, .none): break
        }
        self.committed()
        self.wake()
    }

    /// The worker's next turn, if no sooner one is planned.
    mutating func wake(_ slot: Int, at time: Int) {
        if let planned = self.workers[slot].nextTick, planned <= time, planned > self.now { return }
        self.workers[slot].nextTick = time
        self.queue.push(time, .tick(slot))
    }

    mutating func wake() {
        for slot in self.workers.indices { self.wake(slot, at: self.now + 1 + self.dice.upTo(20)) }
    }

    /// After every commit. What a standby has: all of them, or in a storm only those of a moment ago.
    mutating func committed() {
        self.checkForgotten()
        self.commits += 1
        if case .crash(self.commits) = self.trouble { self.restart(.restart) }
        if self.isCalm || self.isPeace || self.dice.chance(self.replication) {
            self.standby = self.database
            self.unreplicated = 0
        } else {
            self.unreplicated += 1
        }
    }

    /// Nobody waits for what no job will do. Once commits were lost a worker may write down the delete of what the ledger
    /// wants again; the sweep finds such a user.
    private mutating func checkForgotten() {
        guard !self.hasLostCommits, let user = self.database.forgotten().first else { return }
        self.fail("user \(user) has not what is wanted and no job")
    }

    // MARK: Faults

    private mutating func fault() {
        guard !self.isPeace else { return }
        switch self.dice.upTo(self.isCalm ? 6 : 11) {
        case 0:  // kill -9
            self.kill(self.dice.upTo(self.workers.count))
        case 1:  // SIGSTOP
            let slot = self.dice.upTo(self.workers.count)
            self.workers[slot].pausedUntil = self.now + self.dice.upTo(90_000)
            self.note("stop worker \(slot) until \(self.workers[slot].pausedUntil)")
        case 2:  // the server crashes and comes back
            self.restart(.restart)
        case 3:  // everybody stands still for a while
            for slot in self.workers.indices {
                self.workers[slot].pausedUntil = self.now + 30_000 + self.dice.upTo(60_000)
            }
            self.note("all workers stop")
        case 4: self.rotate(self.dice.upTo(2))
        case 5:  // the provider cannot be reached
            self.blackoutUntil = self.now + self.dice.upTo(90_000)
            self.note("the provider is away until \(self.blackoutUntil)")
        case 6, 7: self.promote()
        case 8:
            self.clockOffset += self.dice.upTo(120_000) - 20_000
            self.hasJumped = true
            self.note("clock off by \(self.clockOffset)")
        case 9:  // deleted behind our back
            if let lost = self.provider.live.first, self.dice.chance(40) {
                self.note("credential \(lost.id) vanishes")
                self.tally.count(.vanished)
                _ = self.provider.delete(lost.id)
            }
        case 10:
            // Not of one who is rejected: as long as the expired one is there, every sweep would have another tried for.
            if let old = self.provider.live.last, self.unwelcome.isEmpty, self.dice.chance(40) {
                self.note("credential \(old.id) expires")
                self.tally.count(.expired)
                self.provider.expire(old.id)
            }
        default: break
        }
    }

    /// Of a standby that may lack the last commits.
    private mutating func promote() {
        if self.unreplicated > 0 {
            self.hasLostCommits = true
            self.tally.count(.lostCommits)
        }
        self.database = self.standby
        self.unreplicated = 0
        self.restart(.failover)
    }

    private mutating func rotate(_ user: Int) {
        guard self.database.users[user]?.status == .ready else { return }
        self.note("rotate user \(user)")
        self.tally.count(.rotations)
        self.database.rotate(user, overlap: self.dice.upTo(20_000), now: self.databaseNow)
        self.committed()
        self.wake()
    }

    /// The ledger of before the first claim, on another server that somebody has adopted; then silence but for the sweep.
    mutating func loseClaim(_ before: ModelDatabase) {
        guard case .lostClaim = self.trouble, !self.hasLostCommits else { return }
        self.hasLostCommits = true
        self.database = before
        self.restart(.failover)
        self.database.adopt(self.server, .failover, lease: Terms.lease, settle: self.settle, now: self.databaseNow)
        self.lastChange = .restart
        for slot in self.workers.indices {
            self.workers[slot].pausedUntil = self.now + Terms.lease + self.settle + 12_000 + self.dice.upTo(500)
        }
    }

    private mutating func kill(_ slot: Int) {
        self.note("kill worker \(slot)")
        self.deadBoots[self.workers[slot].boot] = self.now
        self.workers[slot] = ModelWorker(boot: self.nextBoot)
        self.nextBoot += 1
        self.workers[slot].pausedUntil = self.now + self.dice.upTo(60_000)
        self.wake(slot, at: self.workers[slot].pausedUntil)
    }

    private mutating func restart(_ change: ModelDatabase.Change) {
        self.note("server \(change)")
        self.server += 1
        if change == .failover || self.lastChange == .restart || self.database.started == self.server - 1 {
            self.lastChange = change
        }
        for slot in self.workers.indices { self.wake(slot, at: self.now + 200 + self.dice.upTo(2000)) }
    }

    private mutating func makePeace() {
        self.note("peace")
        self.isPeace = true
        self.blackoutUntil = 0
        self.clockOffset = max(self.clockOffset, 0)
        let now = self.now
        for slot in self.workers.indices {
            self.workers[slot].pausedUntil = min(self.workers[slot].pausedUntil, now)
        }
        self.wake()
    }

    // MARK: The end

    /// Exactly one where one is wanted, none where none is, and both sides agree.
    private mutating func judge() {
        var expected: [Int: Webhook] = [:]
        for (place, webhook) in self.webhooks.enumerated() {
            if !webhook.isAcknowledged { self.fail("delivery \(place) was never acknowledged") }
            if !self.database.events.contains(place) { self.fail("delivery \(place) was acknowledged and is lost") }
            if let best = expected[webhook.user], best.occurredAt > webhook.occurredAt { continue }
            expected[webhook.user] = webhook
        }
        for (user, last) in expected.sorted(by: { $0.key < $1.key }) {
            guard let row = self.database.users[user] else { return self.fail("user \(user) was forgotten") }
            if row.wanted != last.wanted { self.fail("user \(user) is wanted \(row.wanted), not \(last.wanted)") }
            let live = self.provider.credentials.filter { $0.user == user && $0.isThere }
            let open = self.database.credentials.filter { $0.user == user && $0.status != .deleted }
            if last.wanted == .gone {
                if !live.isEmpty || !open.isEmpty || row.status != .revoked {
                    self.fail("user \(user) is gone and has \(live.count) live, \(open.count) open, \(row.status)")
                }
                continue
            }
            // Failed, and nothing of what is wanted; one before it may serve.
            if self.unwelcome[user] != nil, row.status == .failed, live.count <= 1, live.map(\.id) == open.map(\.id),
                live.map(\.password) == open.map(\.password), !live.contains(where: { $0.generation >= row.generation })
            {
                continue
            }
            guard live.count == 1, live[0].isLive, open.count == 1, row.status == .ready else {
                return self.fail("user \(user) has \(live.count) live, \(open.count) open, \(row.status)")
            }
            if live[0].id != open[0].id || open[0].password != live[0].password || open[0].status != .active
                || open[0].generation != row.generation || live[0].generation != row.generation
            {
                self.fail("user \(user): ledger and provider differ")
            }
        }
        if !self.database.jobs.isEmpty { self.fail("a job has no end: \(self.database.jobs[0])") }
        let isLeft = self.database.surplus.contains { !$0.isDeleted }
        if isLeft { self.fail("surplus is left") }
        let both = Set(self.database.credentials.map(\.id)).intersection(self.database.surplus.map(\.id))
        if self.database.hasCrossedLocks { self.fail("locks are taken crosswise") }
        if !both.isEmpty { self.fail("an id stands in both tables") }
    }
}

/// Occurrences in the order of their time, then of their making.
struct Heap {
    private var items: [(time: Int, serial: Int, what: Occurrence)] = []
    private var serial = 0

    mutating func push(_ time: Int, _ what: Occurrence) {
        self.serial += 1
        self.items.append((time, self.serial, what))
        var child = self.items.count - 1
        while child > 0, self.isBefore(child, (child - 1) / 2) {
            self.items.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func pop() -> (Int, Occurrence)? {
        guard let first = self.items.first else { return nil }
        let last = self.items.removeLast()
        if !self.items.isEmpty {
            self.items[0] = last
            var parent = 0
            while true {
                var least = parent
                for child in [2 * parent + 1, 2 * parent + 2]
                where child < self.items.count && self.isBefore(child, least) { least = child }
                if least == parent { break }
                self.items.swapAt(parent, least)
                parent = least
            }
        }
        return (first.time, first.what)
    }

    private func isBefore(_ lhs: Int, _ rhs: Int) -> Bool {
        (self.items[lhs].time, self.items[lhs].serial) < (self.items[rhs].time, self.items[rhs].serial)
    }
}
