// SPDX-License-Identifier: Apache-2.0
// A fresh, migrated database for each test, and what tests do with it besides the code under test.

import Foundation
package import Postgres
import PrivatePostgres

/// One database, with a running pool on it.
package struct TestDatabase: Sendable {
    package let url: String
    /// With the settings and the rights of the service, unless the database is empty.
    package let pool: PostgresPool
    /// As the superuser, for what stands in the tables.
    package let admin: PostgresConnection

    /// Makes a database, lends it to `work` and drops it. With `isEmpty` it has no schema.
    ///
    /// `work` may not ask for a second database: see `Turnstile`.
    package static func with(
        isEmpty: Bool = false, connections: Int = 8, _ work: (TestDatabase) async throws -> Void
    ) async throws {
        await Turnstile.shared.enter()
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await self.withOne(isEmpty: isEmpty, connections: connections, work))
        } catch {
            outcome = .failure(error)
        }
        await Turnstile.shared.leave()
        try outcome.get()
    }

    private static func withOne(
        isEmpty: Bool, connections: Int, _ work: (TestDatabase) async throws -> Void
    ) async throws {
        let server = try await TestServer.shared.server()
        let name = "t_\(UUID().uuidString.lowercased().replacing("-", with: ""))"
        let control = try await PostgresConnection.connect(PostgresConfiguration(url: server.url()))
        try await control.script(
            "create database \(name) template \(isEmpty ? "template0" : "dialtone_template")")
        let url = server.url(database: name)
        var configuration = try PostgresConfiguration(url: url)
        if !isEmpty {
            configuration.settings = PostgresConfiguration.keyLookups
            configuration.settings["role"] = "dialtone_service"
        }
        var limits = PostgresPool.Configuration(configuration)
        limits.maximum = connections
        // Many tests share few cores, so a connection may come late. Only one that never comes is a failure.
        limits.leaseTimeout = .seconds(60)
        let pool = PostgresPool(limits)
        let admin = try await PostgresConnection.connect(PostgresConfiguration(url: url))
        let database = TestDatabase(url: url, pool: pool, admin: admin)
        let outcome = await withTaskGroup(of: Void.self, returning: Result<Void, any Error>.self) { group in
            group.addTask { await pool.run() }
            let outcome: Result<Void, any Error>
            do {
                outcome = .success(try await work(database))
            } catch {
                outcome = .failure(error)
            }
            group.cancelAll()
            return outcome
        }
        await admin.close()
        try await control.script("drop database \(name) with (force)")
        await control.close()
        try outcome.get()
    }

    // MARK: Statements

    /// Inserts rows as the superuser, all in one transaction. `Ledger` has the statements.
    package func insert(_ rows: SQL...) async throws { try await self.insert(rows) }

    package func insert(_ rows: [SQL]) async throws { try await Self.commit(rows, on: self.admin) }

    /// Runs the statements as the service, in one transaction and one round trip. Throws the first error.
    package func commit(_ statements: [SQL]) async throws {
        try await self.pool.withConnection { try await Self.commit(statements, on: $0) }
    }

    private static func commit(_ statements: [SQL], on connection: PostgresConnection) async throws {
        for result in try await connection.pipeline([statements]).joined() { _ = try result.get() }
    }

    // MARK: Waiting

    /// Waits until the statement returns a row, or throws after 60 seconds. The pause between two looks is the
    /// database's, so that the test does not sleep.
    package func until(_ statement: SQL) async throws {
        let came = try await Self.returnsRow(statement, on: self.admin)
        guard came else { throw NeverCame(what: "the row did not come") }
    }

    /// Waits until a session of this database waits for a lock, or throws after 60 seconds.
    ///
    /// It asks on a connection of its own: `admin` may be in a transaction, in which pg_stat_activity does not change.
    package func untilSomebodyWaitsForALock() async throws {
        let watcher = try await PostgresConnection.connect(PostgresConfiguration(url: self.url))
        let waits = try await Self.returnsRow(
            "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
            on: watcher)
        await watcher.close()
        guard waits else { throw NeverCame(what: "no session waited for a lock") }
    }

    /// Asks until the statement returns a row, for 60 seconds.
    private static func returnsRow(_ statement: SQL, on connection: PostgresConnection) async throws -> Bool {
        let deadline = ContinuousClock.now + .seconds(60)
        while try await connection.query(statement).isEmpty {
            guard ContinuousClock.now < deadline else { return false }
            _ = try await connection.query("select pg_sleep(0.02)::text")
        }
        return true
    }

    package struct NeverCame: Error, CustomStringConvertible {
        let what: String

        package init(what: String) { self.what = what }

        package var description: String { "\(self.what) within 60 seconds" }
    }
}
