// SPDX-License-Identifier: Apache-2.0
// One seed: a few users, two or more workers, a ledger and a provider under every fault there is, in virtual time.

import Lifecycle
import Model

/// What went against the promise, and when.
package struct Violation: Error, CustomStringConvertible {
    let seed: UInt64
    let life: String
    let what: String
    let trace: [String]
    package var description: String {
        "seed \(self.seed)\(self.life): \(self.what)\n" + self.trace.joined(separator: "\n")
    }
}

/// Times in milliseconds.
enum Terms {
    static let lease = 30_000
    static let deadline = 10_000
    static let margin = 30_000
    static let landingTime = deadline + margin
    /// Faults end here.
    static let storm = 150_000
    /// And here all must be at rest.
    static let end = 1_400_000
}

/// What goes wrong in a life, beside the provider.
package enum Trouble: Sendable {
    /// Everything, by chance.
    case anything
    /// A worker is killed before the n-th occurrence; nothing else.
    case kill(occurrence: Int, slot: Int)
    /// The server crashes after its n-th commit, which stands; nothing else.
    case crash(commit: Int)
    /// The first claim is lost in a promotion, and everybody stands still until the ledger is trusted again; nothing
    /// else.
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
    /// The ledger as each statement has seen it that had to wait for a lock.
    var statements: [ModelDatabase] = []

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
    package internal(set) var commits = 0
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

    var landingTime: Int { self.mutant == .landingTimeZero ? 0 : Terms.landingTime }
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
        case .lockGiven(let place, let statement, let server): self.goOn(place, statement: statement, server: server)
        case .replay:
            // Acknowledged events that a promotion has lost come again from their senders; no others do.
            for place in self.hasLostCommits ? Array(self.webhooks.indices) : [] { self.deliver(place) }
        case .sweep: self.sweep()
        case .compare(let listed, let startedAt, let server): self.compare(listed, startedAt, server)
        case .carryOut(let corrections, let startedAt, let server, let met):
            self.carryOut(corrections, startedAt, server, met)
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

    /// The worker's next turn, if no sooner one is planned.
    mutating func wake(_ slot: Int, at time: Int) {
        if let planned = self.workers[slot].nextTick, planned <= time, planned > self.now { return }
        self.workers[slot].nextTick = time
        self.queue.push(time, .tick(slot))
    }

    mutating func wake() {
        for slot in self.workers.indices { self.wake(slot, at: self.now + 1 + self.dice.upTo(20)) }
    }
}
