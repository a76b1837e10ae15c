// SPDX-License-Identifier: Apache-2.0
// One connection to PostgreSQL: a statement in, rows out, without blocking a thread.
//
// It joins the rooms of this target. `Handles` call libpq, and `Readiness` waits for the socket. `Protocol` matches
// results with statements. `Values` turns values into bytes and back. `Pool` shares connections.

import CLibpq

/// An open connection. It runs one exchange at a time. A second call meanwhile is refused, not queued.
package actor PostgresConnection {
    private let handle: PQConnection
    private let readiness: any SocketReadiness
    private var state = ConnectionState()
    private var statements: StatementCache
    private let exchangeTimeout: Duration?
    /// After this time without an answer the address counts as silent.
    private let patience: Duration
    private let target: PostgresConfiguration.Target
    private let memory: HostMemory
    /// A statement was refused because the session takes no writes.
    private var hasRefusedWrite = false
    /// The server went away or did not answer.
    private var isLost = false

    /// `handle` is connected to `target`. `connect` makes the connections.
    init(
        _ handle: consuming sending PQConnection, _ readiness: any SocketReadiness,
        _ configuration: PostgresConfiguration, _ target: PostgresConfiguration.Target
    ) {
        self.handle = handle
        self.readiness = readiness
        self.statements = StatementCache(isOn: configuration.preparesStatements)
        self.exchangeTimeout = configuration.exchangeTimeout
        self.patience = configuration.connectTimeout
        self.target = target
        self.memory = configuration.memory
    }

    deinit { self.readiness.forget() }

    // MARK: Statements

    /// Runs one statement and returns its rows.
    ///
    /// Cancelled here: the server is asked to stop it, and the call waits until it has; if it finished first, its rows
    /// are returned. A `shielded` call (COMMIT, ROLLBACK) is not cancelled at all.
    package func query(_ statement: SQL, shielded: Bool = false) async throws(PostgresError) -> PostgresRows {
        try Self.check(statement)
        try self.begin(.statement, shielded: shielded)
        defer { self.state.end() }
        var name: String?
        switch self.statements.use(statement) {
        case .direct: break
        case .prepared(let known): name = known
        case .prepare(let new):
            let prepared = await self.exchange([.statement(0)], shielded: shielded) {
                $0.sendPrepare(name: new, statement)
            }
            _ = try prepared[0].get()
            self.statements.prepared(statement)
            name = new
        }
        let outcome = await self.exchange([.statement(0)], shielded: shielded) { handle in
            name.map { handle.sendPrepared(name: $0, statement.parameters) } ?? handle.send(statement)
        }[0]
        self.statements.settled(statement, outcome)
        return try outcome.get()
    }

    /// Runs several statements as one text (simple protocol): migration files. Takes no values and returns no rows.
    package func script(_ text: String) async throws(PostgresError) {
        try self.begin(.statement, shielded: false)
        defer { self.state.end() }
        _ = try await self.exchange([.statement(0)], shielded: false) { $0.send(script: text) }[0].get()
    }

    /// Runs groups of statements in one round trip. Each group is one implicit transaction under its own sync.
    ///
    /// Returns one result per statement, in order. A failed group does not touch the others.
    /// Cancelled here: as in `query`; a statement that was not run says so. A `shielded` call is not cancelled at all.
    package func pipeline(
        _ groups: [[SQL]], shielded: Bool = false
    ) async throws(PostgresError) -> [[Result<PostgresRows, PostgresError>]] {
        guard !groups.isEmpty else { return [] }
        for statement in groups.joined() { try Self.check(statement) }
        try self.begin(.pipeline, shielded: shielded)
        defer { self.state.end() }
        guard self.handle.enterPipeline() else { throw self.fail(.protocolViolation, "cannot enter pipeline mode") }
        let plan = PipelinePlan(groups, statements: &self.statements)
        var outcomes = await self.exchange(plan.expectations, shielded: shielded) { plan.send(on: $0) }
        for (place, statement) in groups.joined().enumerated() {
            self.statements.settled(statement, outcomes[place], isNew: plan.preparedHere.contains(place))
        }
        // libpq cannot exit "with uncollected results". We have then lost count, and the connection is of no more use.
        if case .idle = self.afterPipeline() {} else { _ = self.fail(.protocolViolation, "cannot leave pipeline mode") }
        return groups.map { group in
            defer { outcomes.removeFirst(group.count) }
            return Array(outcomes.prefix(group.count))
        }
    }

    private func afterPipeline() -> ConnectionState.Activity {
        if case .closed = self.state.activity { return .idle }
        return self.handle.exitPipeline() ? .idle : .pipeline
    }

    // MARK: Notifications

    /// Waits for notifications until the deadline. LISTEN must have been run.
    ///
    /// Returns the notifications that came, perhaps none.
    /// Cancelled here: throws `.cancelled`; notifications not yet read stay in the socket.
    package func notifications(
        until deadline: ContinuousClock.Instant
    ) async throws(PostgresError) -> [PostgresNotification] {
        try self.begin(.listening, shielded: false)
        defer { self.state.end() }
        while true {
            var found: [PostgresNotification] = []
            while let notification = self.handle.nextNotification() { found.append(notification) }
            if !found.isEmpty { return found }
            switch await self.readiness.wait(for: .read, on: self.handle.socket, until: deadline, shielded: false) {
            case .ready: break
            case .timedOut: return []
            case .cancelled: throw PostgresError(.cancelled, "cancelled while listening")
            case .failed: throw self.fail(.connectionLost, "the connection to the server was lost")
            }
            guard self.handle.consumeInput() else {
                throw self.fail(.connectionLost, "the connection to the server was lost")
            }
        }
    }

    // MARK: Life

    package var isClosed: Bool {
        if case .closed = self.state.activity { true } else { false }
    }

    /// The server's process id of this session (`pg_stat_activity.pid`).
    package var backendPID: Int32 { self.handle.backendPID }

    /// Returns whether the connection may be lent: idle, its server still there, and no sign that it refuses writes.
    ///
    /// `isQuiet`: it was idle for so long that a network may have dropped it without a word. The server is then asked,
    /// and has as long for its answer as for a connect. Not cancellable, because the connection would be lost.
    func canBeLent(isQuiet: Bool) async -> Bool {
        guard case .idle = self.state.activity, !self.refusesWrites else { return false }
        guard self.handle.isAlive() else {
            _ = self.lose("the server closed the connection")
            return false
        }
        guard !self.refusesWrites else { return false }
        guard isQuiet else { return true }
        guard (try? self.begin(.statement, shielded: true)) != nil else { return false }
        defer { self.state.end() }
        let answer = await self.exchange([.statement(0)], shielded: true, within: self.patience) { $0.send(script: "") }
        return (try? answer[0].get()) != nil && !self.refusesWrites
    }

    /// Whether the other connections to this server are most likely of no use either.
    var isSuspect: Bool { self.isLost || self.refusesWrites }

    /// A session that took no writes, or that the server has made read-only since, is of no use to the next user.
    private var refusesWrites: Bool {
        self.hasRefusedWrite || self.handle.isReadOnly(for: self.target.session)
    }

    /// Makes the connection fit for the next user. Returns false when it cannot; the caller then closes it.
    ///
    /// A cancelled `begin` or a lost error path can leave a transaction open. Such a connection would silently swallow
    /// the next user's writes. Shielded: a cancelled task returns its connection like any other.
    func reset() async -> Bool {
        guard case .idle = self.state.activity, !self.refusesWrites else { return false }
        switch self.handle.transactionStatus {
        case PQTRANS_IDLE: return true
        case PQTRANS_INTRANS, PQTRANS_INERROR:
            guard (try? await self.query("rollback", shielded: true)) != nil else { return false }
            return self.handle.transactionStatus == PQTRANS_IDLE
        default: return false
        }
    }

    package func close() { _ = self.fail(.connectionLost, "the connection was closed") }

    // MARK: One exchange

    private func begin(_ activity: ConnectionState.Activity, shielded: Bool) throws(PostgresError) {
        if !shielded && Task.isCancelled { throw PostgresError(.cancelled, "cancelled before the statement was sent") }
        try self.state.begin(activity)
    }

    /// `limit` replaces `exchangeTimeout`.
    private func exchange(
        _ expected: [PendingResults<PostgresRows>.Expectation], shielded: Bool, within limit: Duration? = nil,
        _ send: (PQConnection) -> Bool
    ) async -> [Result<PostgresRows, PostgresError>] {
        let start = ContinuousClock.now
        var pending = PendingResults<PostgresRows>(expected)
        guard send(self.handle) else { return pending.settled(missing: self.lose("the statement could not be sent")) }
        let loop = Exchange(handle: self.handle, readiness: self.readiness)
        let deadline = (limit ?? self.exchangeTimeout).map { start + $0 }
        var end = await loop.receiveResults(&pending, until: deadline, shielded: shielded)
        if case .cancelled = end {
            // The statement may be half done. Stop it, then read to its end, so that the connection stays usable.
            if let cancel = self.handle.cancelHandle() {
                _ = await Resolver.onThread(within: .seconds(5), isShielded: true) { cancel.cancel() }
            }
            end = await loop.receiveResults(&pending, until: .now + .seconds(5), shielded: true)
        }
        // A commit that only this server has may vanish with it, so no success here is known to last. The notice is the
        // WARNING that SyncRepWaitForLSN raises when its wait is cancelled.
        if self.handle.takeHasGivenUpWaiting() { pending.doubtSuccesses() }
        let missing =
            switch end {
            case .complete: PostgresError(.notRun, "the statement was not run")
            case .cancelled: self.fail(.cancelled, "cancelled")
            case .failed(let error) where error.code == .connectionLost: self.lose(error.message, since: start)
            case .failed(let error): self.fail(error.code, error.message)
            }
        let outcomes = pending.settled(missing: missing)
        // 25006 is read_only_sql_transaction.
        for case .failure(let error) in outcomes where error.sqlState == "25006" { self.hasRefusedWrite = true }
        return outcomes
    }

    /// Closes the connection because its server is gone. An address that was silent for long is then tried last.
    private func lose(_ message: String, since start: ContinuousClock.Instant = .now) -> PostgresError {
        self.isLost = true
        if ContinuousClock.now - start >= self.patience { self.memory.isSilent(self.target) }
        return self.fail(.connectionLost, message)
    }

    /// Closes the connection for this reason and returns the error. The socket leaves epoll before libpq closes it.
    private func fail(_ code: PostgresError.Code, _ message: String) -> PostgresError {
        let error = PostgresError(code, message)
        if self.state.close(error) { self.readiness.forget() }
        return error
    }

    /// Refuses a statement that cannot be sent: the protocol counts parameters in 16 bits, and NUL ends a text.
    private static func check(_ statement: SQL) throws(PostgresError) {
        guard statement.parameters.count <= Int(UInt16.max) else {
            throw PostgresError(.configuration, "a statement has more than 65,535 parameters")
        }
        guard !statement.text.utf8.contains(0) else {
            throw PostgresError(.configuration, "a statement holds a NUL")
        }
    }
}
