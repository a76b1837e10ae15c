// SPDX-License-Identifier: Apache-2.0
// Finds a transaction-mode pooler between the program and the server, before the program relies on sessions.
//
// Behind such a pooler a session's settings, prepared statements, LISTEN and advisory locks are lost or shared with
// others. The program must then be told by DIALTONE_POOLER. Two things give a pooler away: it drops or refuses the
// options that a connection sends at its start, and it gives one client's server process to another between two
// transactions.

package import Postgres

/// How a pooler has shown itself.
package enum PoolerEvidence: Sendable, Equatable, CustomStringConvertible {
    case optionsDropped
    case optionsRefused
    case processesShared
    /// A pooler in statement mode. The program cannot work behind it.
    case transactionsRefused

    package var description: String {
        switch self {
        case .transactionsRefused: "it refuses transactions"
        case .optionsDropped: "options sent at the start are not in force"
        case .optionsRefused: "it refuses options at the start"
        case .processesShared: "two transactions of one connection ran in different server processes"
        }
    }
}

/// One connection, as the probe uses it. A test puts a stub in its place.
protocol ProbedSession: Sendable {
    /// The value of a setting; nil when the server does not know it.
    func value(of setting: String) async throws -> String?
    /// Begins a transaction and returns the server process that runs it.
    func begin() async throws -> Int32
    func commit() async throws
}

package enum PoolerProbe {
    static let marker = (name: "dialtone.probe", value: "sent")

    /// Returns how a pooler showed itself, or nil when the connection leads to the server itself.
    ///
    /// `sendsOptions`: whether the program relies on options here. Throws when no connection can be made.
    package static func evidence(
        at url: PostgresConfiguration, sendsOptions: Bool
    ) async throws -> PoolerEvidence? {
        var configuration = url
        configuration.preparesStatements = false
        configuration.exchangeTimeout = .seconds(10)
        if sendsOptions { configuration.settings = [Self.marker.name: Self.marker.value] }
        let first: PostgresConnection
        do throws(PostgresError) {
            first = try await PostgresConnection.connect(configuration)
        } catch {
            // PgBouncer's words for an option that it may not drop.
            if error.message.contains("unsupported startup parameter") { return .optionsRefused }
            throw error
        }
        do {
            let second = try await PostgresConnection.connect(configuration)
            let found: Result<PoolerEvidence?, any Error>
            do {
                found = .success(
                    try await Self.evidence(
                        first: ProbedConnection(connection: first), second: ProbedConnection(connection: second),
                        sendsOptions: sendsOptions))
            } catch {
                found = .failure(error)
            }
            await second.close()
            await first.close()
            return try found.get()
        } catch {
            await first.close()
            if Self.isRefusedTransaction(error) { return .transactionsRefused }
            throw error
        }
    }

    /// Throws `.pooler` when the pooler that the program was told of refuses transactions.
    package static func verifyTransactions(at url: PostgresConfiguration) async throws {
        var configuration = url
        configuration.preparesStatements = false
        configuration.exchangeTimeout = .seconds(10)
        let connection = try await PostgresConnection.connect(configuration)
        do {
            _ = try await connection.query("begin")
            _ = try await connection.query("commit")
            await connection.close()
        } catch {
            await connection.close()
            guard Self.isRefusedTransaction(error) else { throw error }
            throw SchemaError.pooler(setting: "DATABASE_URL", .transactionsRefused)
        }
    }

    /// PgBouncer's words in statement mode, where not even a transaction holds a server process.
    private static func isRefusedTransaction(_ error: any Error) -> Bool {
        "\(error)".contains("statement pooling mode")
    }

    /// Asks whether the option arrived, and in which process each of two transactions runs. Between the two, a
    /// transaction of the second session is open, which takes the process that a pooler has got back.
    static func evidence(
        first: some ProbedSession, second: some ProbedSession, sendsOptions: Bool
    ) async throws -> PoolerEvidence? {
        if sendsOptions, try await first.value(of: Self.marker.name) != Self.marker.value { return .optionsDropped }
        let before = try await first.begin()
        try await first.commit()
        let other = try await second.begin()
        // With one process in all, the pooler would let the first session wait for the second one's end.
        if other == before { return .processesShared }
        let after = try await first.begin()
        try await first.commit()
        try await second.commit()
        // A pooler that gives out the process that was idle longest shows itself here only.
        let last = try await second.begin()
        try await second.commit()
        return after == before && last == other ? nil : .processesShared
    }
}

private struct ProbedConnection: ProbedSession {
    let connection: PostgresConnection

    func value(of setting: String) async throws -> String? {
        let row = try await self.connection.query("select current_setting(\(setting), true)").first
        guard let row else { return nil }
        return try row.decode(String?.self)
    }

    func begin() async throws -> Int32 {
        _ = try await self.connection.query("begin")
        let row = try await self.connection.query("select pg_backend_pid()").first
        return try row?.decode(Int32.self) ?? 0
    }

    func commit() async throws { _ = try await self.connection.query("commit") }
}
