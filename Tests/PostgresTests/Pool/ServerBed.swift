// SPDX-License-Identifier: Apache-2.0
// A server of its own with a running pool on it, for tests that stop the server or make it read-only.

import Foundation
import PrivatePostgres
import TestSupport
import Testing

@testable import Postgres

/// A server that a test may disturb, and a pool on it.
struct ServerBed {
    let server: PrivatePostgres
    let pool: PostgresPool

    /// Runs both while `work` runs.
    static func with(_ work: (ServerBed) async throws -> Void) async throws {
        try await Self.with({ _ in }, work)
    }

    /// The same, with a change to the pool's configuration. Its maximum is 4 before.
    static func with(
        _ change: (inout PostgresPool.Configuration) -> Void, _ work: (ServerBed) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("dialtone-bed-\(UUID().uuidString)")
        let server = try await PrivatePostgres.start(in: folder)
        server.stopAtExit(removingData: true)
        defer { server.remove() }
        var configuration = PostgresPool.Configuration(try PostgresConfiguration(url: server.url()))
        configuration.maximum = 4
        change(&configuration)
        let pool = PostgresPool(configuration)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await pool.run() }
            defer { group.cancelAll() }
            try await work(ServerBed(server: server, pool: pool))
        }
        try? await server.stop(mode: "immediate")
    }

    /// Runs scripts as the superuser, also while the server is read-only.
    func administer(_ scripts: String...) async throws {
        let url = self.server.url() + "&target_session_attrs=any"
        let admin = try await PostgresConnection.connect(PostgresConfiguration(url: url))
        try await admin.script("set default_transaction_read_only = off")
        for script in scripts { try await admin.script(script) }
        await admin.close()
    }

    /// Opens this many connections of the pool, and leaves them idle.
    func fill(_ count: Int = 4) async throws {
        guard count > 0 else { return }
        try await self.pool.withConnection { _ in try await self.fill(count - 1) }
    }

    /// Ends all sessions of the pool, and returns when their processes are gone.
    func endSessions() async throws {
        try await self.administer(
            """
            select pg_terminate_backend(pid, 10000) from pg_stat_activity
            where application_name = 'dialtone' and pid <> pg_backend_pid()
            """)
    }

    /// Writes until that succeeds, or until it fails, and returns how long it took.
    @discardableResult
    func write(untilItSucceeds succeeds: Bool) async throws -> Duration {
        let start = ContinuousClock.now
        while true {
            let wasWritten = (try? await self.pool.query("insert into t values (1)")) != nil
            if wasWritten == succeeds { break }
            try #require(ContinuousClock.now - start < .seconds(30), "a write never changed its outcome")
        }
        return ContinuousClock.now - start
    }
}
