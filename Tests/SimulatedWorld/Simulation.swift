// SPDX-License-Identifier: Apache-2.0
// One simulated life: users, workers, a ledger and a provider under every fault there is, in virtual time.

import Lifecycle
import Model

/// One life, made from one seed.
///
/// The world has two sides, which agree only through messages. The ledger knows what is wanted. The provider has the
/// credentials. Workers stand between them, and the production `step` decides for them. One seed decides what senders
/// want, what breaks and when, so the same seed gives the same life.
///
///      Chance:  seed ─► dice ─► agenda (a heap of occurrences in virtual time)
///                                 │ run() takes the next occurrence
///         ┌───────────────┬───────┴───────┬─────────────────────┐
///         ▼               ▼               ▼                     ▼
///      Senders         Workers ◄─► step  Provider            Faults
///      webhooks        turns, runs,      calls arrive,       kill, stop, crash,
///      rotations       sweep             answers leave       promote, lose
///         │               │    ▲            ▲    │
///         │               │    └── answer ──┼────┘
///         │               ├──────── call ───┘
///         ▼               ▼
///      Ledger ─── copies ──► standby
///         ▲
///      Judging: after each commit, send, delete and write; and of both sides at the end
///
/// Nothing happens at the same time: an occurrence changes the world at its moment and puts others on the agenda. That
/// is how a message takes time, and how anything can come between a request and its answer. Faults end at
/// `Times.stormEnd`. At `Times.end` nothing may be left to do.
package struct Simulation {
    let seed: UInt64
    let mutant: Mutant?
    /// Whether the sweep is at work, and all faults with it. A life without it has only those faults that the protocol
    /// itself must repair.
    let hasSweep: Bool
    let trouble: Trouble
    var dice: Dice
    /// Milliseconds since the life began.
    var now = 0
    var agenda = Agenda()
    var ledger = Ledger()
    var provider = Provider()
    var workers: [Worker]
    var webhooks: [Webhook] = []
    /// By number: the ledger as each statement has read it that waits for a lock now.
    var waitingStatements: [Int: Ledger] = [:]
    var nextStatement = 0

    /// Which start of the server this is. The next fields say how far its clock is off, and what a fail-over would
    /// bring back.
    var server = 1
    var clockOffset = 0
    var lastChange = Ledger.Change.restart
    var standby: Ledger
    /// Whether the server's clock has ever jumped, and how often it has jumped ahead.
    var hasJumped = false
    var jumpsAhead = 0
    /// Of a hundred commits, after how many the standby has all. A standby keeps up, or lags a little, or lags far
    /// behind.
    let replication: Int
    /// From one visit of a quiet tag to the next. In peace it is a minute at least.
    let stormPeriod: Int
    var period: Int { self.isPeace ? max(self.stormPeriod, 60_000) : self.stormPeriod }
    /// What had landed by then is in every list that gives trust, since the server last lost commits.
    var landedBefore: Int?
    /// The credentials that no list could reach when trust came back.
    var behindGap: Set<Int> = []
    /// Until when the server is down.
    var downUntil = 0
    /// Commits that the standby does not have.
    var unreplicated = 0
    /// Whether a promotion has ever lost commits.
    var hasLostCommits = false

    var isPeace = false
    package private(set) var occurrences = 0
    package internal(set) var commits = 0
    package internal(set) var tally = Tally()
    var nextBoot = 100
    var nextRun = 0
    /// By the ids of workers that are dead, or taken for dead: since when.
    var deadBoots: [Int: Int] = [:]
    /// By the key of a credential's name.
    var proofs: [Int: Proof] = [:]
    var deletedBySweep: Set<Int> = []
    /// Users about whom an operator or a word without a time has decided. What is wanted of them depends on the order.
    var toldByOperator: Set<Int> = []
    /// By id: until when a credential may live that is surplus.
    var boundedUntil: [Int: Int] = [:]
    /// By the ids of credentials that serve no more and that the ledger takes for active: until when it may do so.
    var missingUntil: [Int: Int] = [:]
    var watch = TagWatch()
    /// Until when no call reaches the provider.
    var blackoutUntil = 0
    /// Users whose creates the provider rejects, and from when on.
    var unwelcome: [Int: Int] = [:]
    let trace: Trace?
    /// The first violation.
    var failure: String?

    package init(
        seed: UInt64, hasSweep: Bool, trouble: Trouble = .anything, mutant: Mutant? = nil, isTraced: Bool = false
    ) {
        self.seed = seed
        self.mutant = mutant
        self.trouble = trouble
        self.hasSweep = hasSweep
        self.dice = Dice(seed)
        self.replication = [50, 10, 3][self.dice.upTo(3)]
        self.stormPeriod = trouble.isByChance ? [5000, 20_000, 150_000][self.dice.upTo(3)] : 8000
        self.workers = (0..<(2 + (seed % 8 == 7 ? 1 : 0))).map { Worker(boot: $0 + 1) }
        if case .lostClaim = trouble { self.workers.append(Worker(boot: 99, isVisitor: true)) }
        if trouble.isByChance, hasSweep, self.dice.chance(20) {
            self.provider.habit = Habit.allCases[self.dice.upTo(Habit.allCases.count)]
        }
        self.standby = Ledger()
        self.trace = isTraced ? Trace() : nil
        self.ledger.started = self.server
        self.ledger.seenEra = self.server
        self.ledger.tags[0].seenEra = self.server
        self.standby = self.ledger
    }

    var landingTime: Int { self.mutant == .landingTimeZero ? 0 : Times.landingTime }
    /// The time by the server's clock.
    var serverNow: Int { self.now + self.clockOffset }

    func note(_ text: @autoclosure () -> String) { self.trace?.lines.append("\(self.now) \(text())") }

    mutating func fail(_ what: String) {
        if self.failure == nil { self.failure = "\(what) (at \(self.now) ms)" }
        self.note("VIOLATION \(what)")
    }

    /// Lives the life. Throws the first violation, if there is one.
    package mutating func run() throws(Violation) {
        self.schedule()
        while let (time, occurrence) = self.agenda.pop(), time <= Times.end, self.failure == nil {
            self.now = time
            if case .kill(self.occurrences, let slot) = self.trouble { self.kill(slot) }
            self.occurrences += 1
            self.happen(occurrence)
        }
        if self.failure == nil { self.judge() }
        if let failure {
            let life = (self.hasSweep ? "" : " without the sweep") + (self.trouble.isByChance ? "" : " \(self.trouble)")
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
        case .webhook(let index): self.deliver(index)
        case .lateCommit(let index, let server): if server == self.server { self.take(index) }
        case .lockGiven(let index, let statement, let server): self.goOn(index, statement: statement, server: server)
        case .late(let transaction, let server):
            if server == self.server && self.now >= self.downUntil { transaction(&self) }
        case .replay:
            // After a promotion that lost commits, senders send acknowledged events again. Otherwise they do not.
            for index in self.hasLostCommits ? Array(self.webhooks.indices) : [] { self.deliver(index) }
        case .ask(let visit): self.ask(visit)
        case .compare(let visit): self.compare(visit)
        case .carryOut(let visit): self.carryOut(visit)
        case .correct(let corrections, let server): self.correct(corrections, server)
        case .send(let slot, let run): self.send(slot, run)
        case .fault: self.fault()
        case .goDown(let image): self.goDown(image)
        case .putBack(let image): self.putBack(image)
        case .confirm: self.ledger.isStopped = false
        case .rotate(let user): self.rotate(user)
        case .doom: self.doomStrays()
        case .peace: self.makePeace()
        case .retryFailed: self.retryFailed()
        }
    }

    /// Until when this worker does nothing: it is stopped, or the server is down.
    func restsUntil(_ slot: Int) -> Int { max(self.workers[slot].pausedUntil, self.downUntil) }

    /// Plans the worker's next turn, unless a sooner turn is planned.
    mutating func wake(_ slot: Int, at time: Int) {
        if let planned = self.workers[slot].nextTick, planned <= time, planned > self.now { return }
        self.workers[slot].nextTick = time
        self.agenda.push(time, .tick(slot))
    }

    /// Plans a turn of every worker in a moment, as a hint does.
    mutating func wake() {
        for slot in self.workers.indices { self.wake(slot, at: self.now + 1 + self.dice.upTo(20)) }
    }
}
