// SPDX-License-Identifier: Apache-2.0
// The connections that intake, worker and requests share: leased for a piece of work, checked when they come back.

import Synchronization

/// A pool of connections. `run()` makes them; leases wait until it does.
package final class PostgresPool: Sendable {
    package struct Configuration: Sendable {
        package var connection: PostgresConfiguration
        /// Connections at most.
        package var maximum = 8
        /// How long a lease waits for a connection.
        package var leaseTimeout: Duration = .seconds(5)
        /// Without any working connection for this long, leases fail at once until one is made again.
        package var breakAfter: Duration = .seconds(2)

        package init(_ connection: PostgresConfiguration) { self.connection = connection }
    }

    private typealias Waiter = CheckedContinuation<Result<PostgresConnection, PostgresError>, Never>
    private typealias State = PoolState<PostgresConnection, Waiter>

    private let configuration: Configuration
    private let state: Mutex<State>
    private let nextID = Atomic<UInt64>(1)
    /// Connections to make, for the tasks `run()` owns.
    private let orders: AsyncStream<Void>
    private let order: AsyncStream<Void>.Continuation

    package init(_ configuration: Configuration) {
        self.configuration = configuration
        self.state = Mutex(
            PoolState(limits: .init(maximum: max(1, configuration.maximum), breakAfter: configuration.breakAfter)))
        (self.orders, self.order) = AsyncStream.makeStream()
    }

    // MARK: Using it

    /// Lends a connection for the time of `work`. On return it is rolled back if need be, or closed and replaced.
    ///
    /// Throws what `work` throws, `.poolTimeout`, `.poolUnavailable`. Cancelled here: a waiting lease is withdrawn.
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

    /// One statement on any connection.
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

    /// A transaction on any connection; see `PostgresConnection.withTransaction`.
    package func withTransaction<Value>(_ work: (PostgresConnection) async throws -> Value) async throws -> Value {
        try await self.withConnection { connection in
            try await connection.withTransaction { try await work(connection) }
        }
    }

    /// Idle, leased and waiting, for metrics and tests.
    package var counts: (idle: Int, leased: Int, waiting: Int) { self.state.withLock { $0.counts } }

    // MARK: Running it

    /// Makes connections until the task is cancelled, then closes them.
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

    /// Expires leases that wait too long and retries after a failure.
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

    /// Not cancellable: a connection must come back whatever became of its user.
    private func giveBack(_ connection: PostgresConnection) async {
        let isUsable = await connection.reset()
        if !isUsable { await connection.close() }
        await self.perform(self.state.withLock { $0.returned(isUsable ? connection : nil) })
    }

    private func perform(_ actions: [State.Action]) async {
        self.performAtOnce(actions)
        for case .close(let connection) in actions { await connection.close() }
    }

    /// All that needs no waiting; a closed connection is closed by `perform` or, at the latest, when it is freed.
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
