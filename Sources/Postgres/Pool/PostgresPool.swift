// SPDX-License-Identifier: Apache-2.0
// The connections that intake, worker and requests share: leased for a piece of work, checked when they come back.
//
// `PoolState` holds the rules and does nothing; `PostgresPool` performs the actions that the rules return. Each method
// asks the rules under the lock and performs their actions after it. Only `run()` makes connections, in tasks that it
// owns. When no connection has worked for a while, leases no longer line up: each waits for one attempt. Every 100 ms a
// ticker makes the next one, to see whether the server is back.

import Synchronization

/// A pool of connections. `run()` makes them, and leases wait until it does.
package final class PostgresPool: Sendable {
    package struct Configuration: Sendable {
        package var connection: PostgresConfiguration
        /// The most connections at a time.
        package var maximum = 8
        /// How long a lease waits for a connection. While a connection is being made it waits for as long as all hosts
        /// take, in addition.
        package var leaseTimeout: Duration = .seconds(5)
        /// After this long without a working connection, each lease waits for one attempt only, until one succeeds.
        package var breakAfter: Duration = .seconds(2)
        /// The longest life of a connection. Each one gets a random part of it, four fifths at least, so that they do
        /// not all end together.
        package var maximumLife: Duration = .seconds(30 * 60)
        /// After this long idle, a connection is asked for a sign of life before it is lent. A firewall may have
        /// forgotten it, or a server may be gone without a word.
        package var quietAfter: Duration = .seconds(5)
        /// Told how long each lease has waited, in vain or not. Called on the task that asked.
        package var onWait: (@Sendable (Duration) -> Void)?

        package init(_ connection: PostgresConfiguration) { self.connection = connection }
    }

    private typealias Member = PoolMember<PostgresConnection>
    private typealias Waiter = CheckedContinuation<Result<Member, PostgresError>, Never>
    private typealias State = PoolState<PostgresConnection, Waiter>

    private let configuration: Configuration
    private let state: Mutex<State>
    private let nextID = Atomic<UInt64>(1)
    /// One element for each connection to make. The tasks of `run()` make them.
    private let orders: AsyncStream<Void>
    private let order: AsyncStream<Void>.Continuation

    package init(_ configuration: Configuration) {
        self.configuration = configuration
        self.state = Mutex(
            PoolState(
                limits: .init(
                    maximum: max(1, configuration.maximum), breakAfter: configuration.breakAfter,
                    longestConnect: configuration.connection.longestConnect)))
        (self.orders, self.order) = AsyncStream.makeStream()
    }

    // MARK: Using it

    /// Lends a connection while `work` runs.
    ///
    /// On its return an open transaction is rolled back. A connection that is no longer usable is closed and replaced.
    /// Throws the errors of `work`, `.poolTimeout` and `.poolUnavailable`.
    /// Cancelled here: a waiting lease is withdrawn.
    package func withConnection<Value>(_ work: (PostgresConnection) async throws -> Value) async throws -> Value {
        let member = try await self.lease()
        do {
            let value = try await work(member.connection)
            await self.giveBack(member)
            return value
        } catch {
            await self.giveBack(member)
            throw error
        }
    }

    /// Runs one statement on any connection and returns its rows.
    ///
    /// Throws the errors of `PostgresConnection.query`, `.poolTimeout` and `.poolUnavailable`.
    /// Cancelled here: a waiting lease is withdrawn; a statement that was sent ends as in `PostgresConnection.query`.
    package func query(_ statement: SQL) async throws(PostgresError) -> PostgresRows {
        let member = try await self.lease()
        do {
            let rows = try await member.connection.query(statement)
            await self.giveBack(member)
            return rows
        } catch {
            await self.giveBack(member)
            throw error
        }
    }

    /// Runs `work` in a transaction on any connection; see `PostgresConnection.withTransaction`.
    package func withTransaction<Value>(_ work: (PostgresConnection) async throws -> Value) async throws -> Value {
        try await self.withConnection { connection in
            try await connection.withTransaction { try await work(connection) }
        }
    }

    /// The numbers of idle and lent connections and of waiting leases, for metrics and tests.
    package var counts: (idle: Int, leased: Int, waiting: Int) { self.state.withLock { $0.counts } }

    // MARK: Running it

    /// Makes connections until the task is cancelled. Then idle connections close, and lent ones on their return.
    package func run() async {
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.tick() }
                for await _ in self.orders { group.addTask { await self.connect() } }
                group.cancelAll()
            }
        } onCancel: {
            self.order.finish()
        }
        await self.perform(self.state.withLock { $0.shutDown() })
    }

    /// Fails the leases that wait too long, closes connections that are too old, and tries one after a failure.
    private func tick() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(100))
            await self.perform(
                self.state.withLock { state in
                    let now = ContinuousClock.now
                    var actions = state.expire(now: now)
                    actions += state.retire(now: now)
                    actions += state.probe(now: now)
                    return actions
                })
        }
    }

    private func connect() async {
        do {
            let connection = try await PostgresConnection.connect(self.configuration.connection)
            let now = ContinuousClock.now
            let life = self.configuration.maximumLife * Double.random(in: 0.8...1)
            let member = Member(connection: connection, expiresAt: now + life, idleSince: now)
            await self.perform(self.state.withLock { $0.connected(member, now: now) })
        } catch {
            await self.perform(self.state.withLock { $0.connectFailed(error, now: .now) })
        }
    }

    // MARK: Leases

    private func lease() async throws(PostgresError) -> Member {
        let id = self.nextID.wrappingAdd(1, ordering: .relaxed).oldValue
        let began = ContinuousClock.now
        let deadline = began + self.configuration.leaseTimeout
        defer { self.configuration.onWait?(ContinuousClock.now - began) }
        while true {
            let member = try await self.wait(id, deadline).get()
            let isQuiet = ContinuousClock.now - member.idleSince >= self.configuration.quietAfter
            if await member.connection.canBeLent(isQuiet: isQuiet) { return member }
            await self.giveUp(member)
            // Dead connections are replaced at once. New ones that are of no use either must not be made for ever.
            guard ContinuousClock.now < deadline + self.configuration.connection.longestConnect else {
                throw PostgresError(.poolTimeout, "no connection was fit for use in time")
            }
        }
    }

    /// Waits until the rules give a connection or an error.
    ///
    /// Cancelled here: the waiter is withdrawn; if it had been given a connection already, the caller gets it.
    private func wait(_ id: UInt64, _ deadline: ContinuousClock.Instant) async -> Result<Member, PostgresError> {
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let actions = self.state.withLock { state -> [State.Action] in
                    if Task.isCancelled { return [.fail(waiter, Self.withdrawn)] }
                    return state.lease(id, waiter, deadline: deadline, now: .now)
                }
                self.performAtOnce(actions)
            }
        } onCancel: {
            self.state.withLock { $0.withdraw(id) }?.resume(returning: .failure(Self.withdrawn))
        }
    }

    private static let withdrawn = PostgresError(.cancelled, "cancelled while waiting for a connection")

    /// Not cancellable: a connection must come back however its work ended.
    private func giveBack(_ member: Member) async {
        guard await member.connection.reset() else { return await self.giveUp(member) }
        await self.perform(self.state.withLock { $0.returned(member, now: .now) })
    }

    /// Ends a lease whose connection is of no more use, and closes what may have died with it.
    private func giveUp(_ member: Member) async {
        let isSuspect = await member.connection.isSuspect
        await member.connection.close()
        await self.perform(
            self.state.withLock { state in
                let suspects = isSuspect ? state.suspect() : []
                return suspects + state.returned(nil, now: .now)
            })
    }

    private func perform(_ actions: [State.Action]) async {
        self.performAtOnce(actions)
        for case .close(let connection) in actions { await connection.close() }
    }

    /// Performs the actions that need no waiting. A connection to close is closed by `perform`, or when it is freed.
    private func performAtOnce(_ actions: [State.Action]) {
        for action in actions {
            switch action {
            case .connect: self.order.yield()
            case .give(let member, let waiter): waiter.resume(returning: .success(member))
            case .fail(let waiter, let error): waiter.resume(returning: .failure(error))
            case .close: break
            }
        }
    }
}
