// SPDX-License-Identifier: Apache-2.0
// The pool's rules as a pure state machine: which connections are idle or lent, and which leases wait.

/// The pool's bookkeeping. Its methods return the actions that the pool must now perform, outside the lock.
struct PoolState<Connection, Waiter>: ~Copyable {
    enum Action {
        case connect
        case give(Connection, to: Waiter)
        case fail(Waiter, PostgresError)
        case close(Connection)
    }

    struct Limits: Sendable {
        /// The most connections at a time, those being made included.
        var maximum: Int
        /// After this long without a working connection, leases fail at once (the breaker).
        var breakAfter: Duration
    }

    typealias Instant = ContinuousClock.Instant

    private let limits: Limits
    private var idle: [Connection] = []
    private var leased = 0
    private var connecting = 0
    private var waiters: [(id: UInt64, waiter: Waiter, deadline: Instant)] = []
    private var failingSince: Instant?
    private var lastFailure: PostgresError?
    private var isShutDown = false

    init(limits: Limits) { self.limits = limits }

    var isIdle: Bool { self.leased == 0 && self.connecting == 0 }
    var counts: (idle: Int, leased: Int, waiting: Int) { (self.idle.count, self.leased, self.waiters.count) }

    /// Whether to make a connection although no lease waits. It shows whether the server is back.
    func shouldProbe() -> Bool {
        self.failingSince != nil && self.connecting == 0 && self.idle.isEmpty && !self.isShutDown
    }

    /// Gives an idle connection to the waiter, or lets it wait until the deadline. An open breaker fails it at once.
    mutating func lease(_ id: UInt64, _ waiter: Waiter, deadline: Instant, now: Instant) -> [Action] {
        if self.isShutDown {
            return [.fail(waiter, PostgresError(.poolUnavailable, "the connection pool is shut down"))]
        }
        if let connection = self.idle.popLast() {
            self.leased += 1
            return [.give(connection, to: waiter)]
        }
        if let since = self.failingSince, now - since >= self.limits.breakAfter, self.leased == 0 {
            return [.fail(waiter, self.unavailable())]
        }
        self.waiters.append((id, waiter, deadline))
        return self.connectIfNeeded()
    }

    /// Takes a cancelled task's waiter out of the line and returns it. Returns nil when the task waits not yet, or no
    /// longer because it has its connection or its error.
    mutating func withdraw(_ id: UInt64) -> Waiter? {
        guard let place = self.waiters.firstIndex(where: { $0.id == id }) else { return nil }
        return self.waiters.remove(at: place).waiter
    }

    /// Takes in a connection that was made, and closes the breaker.
    mutating func connected(_ connection: Connection) -> [Action] {
        self.connecting -= 1
        self.failingSince = nil
        self.lastFailure = nil
        return self.offer(connection)
    }

    /// Notes that a connection could not be made. The first failure starts the breaker's time.
    mutating func connectFailed(_ error: PostgresError, now: Instant) -> [Action] {
        self.connecting -= 1
        self.failingSince = self.failingSince ?? now
        self.lastFailure = error
        return self.expire(now: now)
    }

    /// Ends a lease. `connection` is nil when it is no longer usable.
    mutating func returned(_ connection: Connection?) -> [Action] {
        self.leased -= 1
        guard let connection else { return self.connectIfNeeded() }
        // This connection works, so earlier failures no longer count.
        self.failingSince = nil
        return self.offer(connection)
    }

    /// Fails the leases that have waited too long, and all of them once the breaker is open.
    mutating func expire(now: Instant) -> [Action] {
        let isBroken = self.failingSince.map { now - $0 >= self.limits.breakAfter && self.leased == 0 } ?? false
        let late = self.waiters.filter { isBroken || $0.deadline <= now }
        self.waiters.removeAll { isBroken || $0.deadline <= now }
        return late.map { waiter in
            .fail(
                waiter.waiter,
                isBroken ? self.unavailable() : PostgresError(.poolTimeout, "no connection became free in time"))
        }
    }

    /// Asks for connections while leases wait. After a failure the pool's ticker asks for the next one.
    mutating func connectIfNeeded() -> [Action] {
        guard !self.isShutDown, self.failingSince == nil || self.connecting == 0 else { return [] }
        var actions: [Action] = []
        while self.connecting < self.waiters.count
            && self.leased + self.connecting + self.idle.count < self.limits.maximum
        {
            self.connecting += 1
            actions.append(.connect)
        }
        return actions
    }

    /// Asks for one connection when `shouldProbe()` says so.
    mutating func probe() -> [Action] {
        guard self.shouldProbe() else { return [] }
        self.connecting += 1
        return [.connect]
    }

    /// Refuses leases from now on. Idle connections close now, lent ones on their return.
    mutating func shutDown() -> [Action] {
        self.isShutDown = true
        let refused = self.waiters.map {
            Action.fail($0.waiter, PostgresError(.poolUnavailable, "the pool is shut down"))
        }
        let closed = self.idle.map { Action.close($0) }
        self.waiters = []
        self.idle = []
        return refused + closed
    }

    private mutating func offer(_ connection: Connection) -> [Action] {
        if self.isShutDown { return [.close(connection)] }
        guard !self.waiters.isEmpty else {
            self.idle.append(connection)
            return []
        }
        self.leased += 1
        return [.give(connection, to: self.waiters.removeFirst().waiter)]
    }

    private func unavailable() -> PostgresError {
        PostgresError(.poolUnavailable, "the database cannot be reached: \(self.lastFailure?.message ?? "no answer")")
    }
}
