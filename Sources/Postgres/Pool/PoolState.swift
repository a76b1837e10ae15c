// SPDX-License-Identifier: Apache-2.0
// The pool's rules as a pure state machine: which connections are idle or lent, and which leases wait.

/// A connection of the pool, and its times.
struct PoolMember<Connection> {
    let connection: Connection
    /// From then on it is not lent again.
    let expiresAt: ContinuousClock.Instant
    /// When it was made, or last came back.
    var idleSince: ContinuousClock.Instant
}

extension PoolMember: Sendable where Connection: Sendable {}

/// The pool's bookkeeping. Its methods return the actions that the pool must now perform, outside the lock.
struct PoolState<Connection, Waiter>: ~Copyable {
    typealias Member = PoolMember<Connection>

    enum Action {
        case connect
        case give(Member, to: Waiter)
        case fail(Waiter, PostgresError)
        case close(Connection)
    }

    struct Limits: Sendable {
        /// The most connections at a time, those being made included.
        var maximum: Int
        /// After this long without a working connection, a lease fails with the next attempt (the breaker).
        var breakAfter: Duration
        /// How much longer than its deadline a lease waits while a connection is being made: the time of all hosts.
        var longestConnect: Duration = .zero
    }

    typealias Instant = ContinuousClock.Instant

    private let limits: Limits
    private var idle: [Member] = []
    private var leased = 0
    private var connecting = 0
    private var waiters: [(id: UInt64, waiter: Waiter, since: Instant, deadline: Instant)] = []
    private var failingSince: Instant?
    private var lastFailure: PostgresError?
    private var lastAttempt: Instant?
    private var isShutDown = false

    init(limits: Limits) { self.limits = limits }

    var isIdle: Bool { self.leased == 0 && self.connecting == 0 }
    var counts: (idle: Int, leased: Int, waiting: Int) { (self.idle.count, self.leased, self.waiters.count) }

    /// Whether to make a connection although no lease waits. It shows whether the server is back.
    ///
    /// An attempt that hangs at a silent host does not keep the next from finding another host.
    func shouldProbe(now: Instant) -> Bool {
        self.failingSince != nil && self.idle.isEmpty && !self.isShutDown
            && self.leased + self.connecting < self.limits.maximum
            && (self.connecting == 0 || !self.hasTried(within: .seconds(1), now: now))
    }

    /// Gives an idle connection to the waiter, or lets it wait until the deadline.
    ///
    /// An open breaker lets it wait for the next attempt only, which begins at once or within a tick. A server that has
    /// just come back is then found by the first lease that asks. A lease fails at once while an attempt hangs.
    mutating func lease(_ id: UInt64, _ waiter: Waiter, deadline: Instant, now: Instant) -> [Action] {
        if self.isShutDown {
            return [.fail(waiter, PostgresError(.poolUnavailable, "the connection pool is shut down"))]
        }
        let expired = self.retire(now: now)
        if let member = self.idle.popLast() {
            self.leased += 1
            return expired + [Action.give(member, to: waiter)]
        }
        if self.isBroken(now: now), self.connecting > 0 {
            return expired + [Action.fail(waiter, self.unavailable())]
        }
        self.waiters.append((id, waiter, now, deadline))
        if self.failingSince != nil, self.hasTried(within: .milliseconds(50), now: now) { return expired }
        return expired + self.connectIfNeeded(now: now)
    }

    /// Takes a cancelled task's waiter out of the line and returns it. Returns nil when the task waits not yet, or no
    /// longer because it has its connection or its error.
    mutating func withdraw(_ id: UInt64) -> Waiter? {
        guard let place = self.waiters.firstIndex(where: { $0.id == id }) else { return nil }
        return self.waiters.remove(at: place).waiter
    }

    /// Takes in a connection that was made, and closes the breaker.
    mutating func connected(_ member: Member, now: Instant) -> [Action] {
        self.connecting -= 1
        self.failingSince = nil
        self.lastFailure = nil
        return self.offer(member) + self.connectIfNeeded(now: now)
    }

    /// Notes that a connection could not be made. The first failure starts the breaker's time.
    mutating func connectFailed(_ error: PostgresError, now: Instant) -> [Action] {
        self.connecting -= 1
        // Beside a connection that works no lease waits, and nothing is probed.
        if self.idle.isEmpty { self.failingSince = self.failingSince ?? now }
        self.lastFailure = error
        return self.expire(now: now)
    }

    /// Ends a lease. `member` is nil when the connection is no longer usable.
    mutating func returned(_ member: Member?, now: Instant) -> [Action] {
        self.leased -= 1
        guard var member else { return self.connectIfNeeded(now: now) }
        // This connection works, so earlier failures no longer count.
        self.failingSince = nil
        member.idleSince = now
        guard member.expiresAt > now else { return [Action.close(member.connection)] + self.connectIfNeeded(now: now) }
        return self.offer(member) + self.connectIfNeeded(now: now)
    }

    /// Closes all idle connections, because one has lost its server or takes no writes: so do the others, most likely.
    mutating func suspect() -> [Action] {
        defer { self.idle = [] }
        return self.idle.map { .close($0.connection) }
    }

    /// Closes the idle connections whose life is over. Each move of servers then ends within one such life.
    mutating func retire(now: Instant) -> [Action] {
        let expired = self.idle.filter { $0.expiresAt <= now }
        if !expired.isEmpty { self.idle.removeAll { $0.expiresAt <= now } }
        return expired.map { .close($0.connection) }
    }

    /// Fails the leases that have waited too long. Once the breaker is open, fails all that an attempt has met.
    ///
    /// While a connection is being made, a lease waits for as long as that takes: the first hosts may be silent.
    mutating func expire(now: Instant) -> [Action] {
        let brokenSince = self.isBroken(now: now) ? self.lastAttempt : nil
        let grace: Duration = self.connecting > 0 ? self.limits.longestConnect : .zero
        var kept: [(id: UInt64, waiter: Waiter, since: Instant, deadline: Instant)] = []
        var actions: [Action] = []
        for waiter in self.waiters {
            if let brokenSince, waiter.since <= brokenSince {
                actions.append(.fail(waiter.waiter, self.unavailable()))
            } else if waiter.deadline + grace <= now {
                let late = PostgresError(.poolTimeout, "no connection became free in time")
                actions.append(.fail(waiter.waiter, late))
            } else {
                kept.append(waiter)
            }
        }
        self.waiters = kept
        return actions
    }

    /// Asks for connections while leases wait. After a failure the pool's ticker asks for the next one.
    mutating func connectIfNeeded(now: Instant) -> [Action] {
        guard !self.isShutDown, self.failingSince == nil || self.connecting == 0 else { return [] }
        var actions: [Action] = []
        while self.connecting < (self.failingSince == nil ? self.waiters.count : min(1, self.waiters.count))
            && self.leased + self.connecting + self.idle.count < self.limits.maximum
        {
            self.connecting += 1
            self.lastAttempt = now
            actions.append(.connect)
        }
        return actions
    }

    /// Asks for one connection when `shouldProbe()` says so.
    mutating func probe(now: Instant) -> [Action] {
        guard self.shouldProbe(now: now) else { return [] }
        self.connecting += 1
        self.lastAttempt = now
        return [.connect]
    }

    /// Refuses leases from now on. Idle connections close now, lent ones on their return.
    mutating func shutDown() -> [Action] {
        self.isShutDown = true
        let refused = self.waiters.map {
            Action.fail($0.waiter, PostgresError(.poolUnavailable, "the pool is shut down"))
        }
        let closed = self.idle.map { Action.close($0.connection) }
        self.waiters = []
        self.idle = []
        return refused + closed
    }

    private mutating func offer(_ member: Member) -> [Action] {
        if self.isShutDown { return [.close(member.connection)] }
        guard !self.waiters.isEmpty else {
            self.idle.append(member)
            return []
        }
        self.leased += 1
        return [.give(member, to: self.waiters.removeFirst().waiter)]
    }

    /// Whether no connection has worked for so long that leases fail at once. An attempt that has just begun may end
    /// this, so the leases that wait for it are kept.
    private func isBroken(now: Instant) -> Bool {
        guard let since = self.failingSince, now - since >= self.limits.breakAfter, self.leased == 0 else {
            return false
        }
        return self.connecting == 0 || !self.hasTried(within: .seconds(1), now: now)
    }

    private func hasTried(within time: Duration, now: Instant) -> Bool {
        self.lastAttempt.map { now - $0 < time } ?? false
    }

    private func unavailable() -> PostgresError {
        PostgresError(.poolUnavailable, "the database cannot be reached: \(self.lastFailure?.message ?? "no answer")")
    }
}
