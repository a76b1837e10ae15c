// SPDX-License-Identifier: Apache-2.0
// A fresh, migrated database for each test, on one private server for the whole run.

import Foundation
package import Postgres
package import PrivatePostgres
import Schema

/// The server of this test process. Started by the first test that needs it; gone when the process is.
package actor TestServer {
    package static let shared = TestServer()

    private var starting: Task<PrivatePostgres, any Error>?

    /// The server, with the template database in it.
    package func server() async throws -> PrivatePostgres {
        // Unstructured, because it belongs to every test that asks, not to the first one.
        let task = self.starting ?? Task { try await Self.start() }
        self.starting = task
        return try await task.value
    }

    private static func start() async throws -> PrivatePostgres {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "dialtone-tests-\(UUID().uuidString)")
        let server = try await PrivatePostgres.start(
            in: folder, settings: ["max_connections": "1000", "shared_buffers": "256MB"])
        server.stopAtExit(removingData: true)
        let admin = try await PostgresConnection.connect(PostgresConfiguration(url: server.url()))
        try await admin.script("create database dialtone_template")
        await admin.close()
        let template = try await PostgresConnection.connect(
            PostgresConfiguration(url: server.url(database: "dialtone_template")))
        _ = try await Schema().migrate(on: template)
        await template.close()
        return server
    }
}

/// So many databases at a time: all tests at once would hold two thousand descriptors and wait for one another. No test may
/// take a second one inside its first.
private actor Turnstile {
    static let shared = Turnstile(16)

    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ free: Int) { self.free = free }

    func enter() async {
        if self.free > 0 {
            self.free -= 1
        } else {
            await withCheckedContinuation { self.waiting.append($0) }
        }
    }

    func leave() {
        if self.waiting.isEmpty { self.free += 1 } else { self.waiting.removeFirst().resume() }
    }
}

/// One database, with a running pool on it.
package struct TestDatabase: Sendable {
    package let url: String
    package let pool: PostgresPool
    /// As the superuser, for looking at what is in the tables.
    package let admin: PostgresConnection

    /// Makes a database, lends it to `work` and drops it. `isEmpty`: without the schema.
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
        // Many tests share two cores: only a connection that never comes is a failure.
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

    /// Waits until the statement answers a row, or throws after 30 seconds. It waits in the database, between two looks.
    package func until(_ statement: SQL) async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while try await self.admin.query(statement).isEmpty {
            guard ContinuousClock.now < deadline else { throw NeverCame() }
            _ = try await self.admin.query("select pg_sleep(0.02)::text")
        }
    }

    package struct NeverCame: Error, CustomStringConvertible {
        package var description: String { "the row did not come within 30 seconds" }
    }
}
