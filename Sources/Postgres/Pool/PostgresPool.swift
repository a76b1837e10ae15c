// SPDX-License-Identifier: Apache-2.0
// The connections that intake, worker and requests share: leased for a piece of work, checked when they come back.
//
// `PoolState` holds the rules and does nothing; `PostgresPool` performs the actions that the rules return. Each method
// asks the rules under the lock and performs their actions after it. Only `run()` makes connections, in tasks that it
// owns. When no connection has worked for a while, leases fail at once instead of lining up. Every 100 ms a ticker then
// looks whether the server is back.

import Synchronization

/// A pool of connections. `run()` makes them, and leases wait until it does.
package final class PostgresPool: Sendable {
    package struct Configuration: Sendable {
        package var connection: PostgresConfiguration
        /// The most connections at a time.
        package var maximum = 8
        /// How long a lease waits for a connection.
        package var leaseTimeout: Duration = .seconds(5)
        /// After this long without a working connection, leases fail at once until one is made again.
        package var breakAfter: Duration = .seconds(2)

        package init(_ connection: PostgresConfiguration) { self.connection = connection }
    }

    private typealias Waiter = CheckedContinuation<Result<PostgresConnection, PostgresError>, Never>
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
            PoolState(limits: .init(maximum: max(1, configuration.maximum), breakAfter: configuration.breakAfter)))
        (self.orders, self.order) = AsyncStream.makeStream()
    }

    // MARK: Using it

    /// Lends a connection while `work` runs.
    ///
    /// On its return an open transaction is rolled back. A connection that is no longer usable is closed and replaced.
    /// Throws the errors of `work`, `.poolTimeout` and `.poolUnavailable`.
    /// Cancelled here: a waiting lease is withdrawn.
    package func withConnection<Value>(_ work: (PostgresConnection) async throws -> Value) async throws -> Value {
        let connection = try await self.lease()
        do {
            let value = try await work(connection)
            await self.giveBack(connection)
            return value
        } catch {
            await self.giveBack(connection)
            throw error
        }
    }

    /// Runs one statement on any connection and returns its rows.
    ///
    /// Throws the errors of `PostgresConnection.query`, `.poolTimeout` and `.poolUnavailable`.
    /// Cancelled here: a waiting lease is withdrawn; a statement that was sent ends as in `PostgresConnection.query`.
    package func query(_ statement: SQL) async throws(PostgresError) -> PostgresRows {
        let connection = try await self.lease()
        do {
            let rows = try await connection.query(statement)
            await self.giveBack(connection)
            return rows
        } catch {
            await self.giveBack(connection)
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

    /// Fails the leases that wait too long, and tries a connection after a failure.
    private func tick() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(100))
            await self.perform(
                self.state.withLock { state in
                    var actions = state.expire(now: .now)
                    actions += state.probe()
                    return actions
                })
        }
    }

    private func connect() async {
        do {
            let connection = try await PostgresConnection.connect(self.configuration.connection)
            await self.perform(self.state.withLock { $0.connected(connection) })
        } catch {
            await self.perform(self.state.withLock { $0.connectFailed(error, now: .now) })
        }
    }

    // MARK: Leases

    private func lease() async throws(PostgresError) -> PostgresConnection {
        let id = self.nextID.wrappingAdd(1, ordering: .relaxed).oldValue
        let deadline = ContinuousClock.now + self.configuration.leaseTimeout
        while true {
            let connection = try await self.wait(id, deadline).get()
            if await connection.isStillThere() { return connection }
            await self.perform(self.state.withLock { $0.returned(nil) })
        }
    }

    /// Waits until the rules give a connection or an error.
    ///
    /// Cancelled here: the waiter is withdrawn; if it had been given a connection already, the caller gets it.
    private func wait(_ id: UInt64, _ deadline: ContinuousClock.Instant) async -> Result<
        PostgresConnection, PostgresError
    > {
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
    private func giveBack(_ connection: PostgresConnection) async {
        let isUsable = await connection.reset()
        if !isUsable { await connection.close() }
        await self.perform(self.state.withLock { $0.returned(isUsable ? connection : nil) })
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
            case .give(let connection, let waiter): waiter.resume(returning: .success(connection))
            case .fail(let waiter, let error): waiter.resume(returning: .failure(error))
            case .close: break
            }
        }
    }
}
