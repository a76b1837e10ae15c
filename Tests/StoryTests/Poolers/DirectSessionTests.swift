// SPDX-License-Identifier: Apache-2.0
// The sessions past a pooler, a node's lock and LISTEN, act as the service and have limits for each statement.

import Composition
import Foundation
import Postgres
import TestSupport
import Testing

@Suite struct DirectSessionTests {
    @Test func `the direct session has the service's role and limits, and may idle for ever`() async throws {
        try await Self.withLogin { database, url in
            let settings = try await Settings.read(flags: ["DATABASE_URL": url])
            let connection = try await PostgresConnection.connect(SharedParts.directDatabase(settings))
            let row = try await connection.query(
                """
                select current_user::text, current_setting('statement_timeout'), current_setting('lock_timeout'),
                       current_setting('idle_in_transaction_session_timeout'), current_setting('idle_session_timeout')
                """
            ).first
            await connection.close()
            let (role, statement, lock, transaction, idle) = try #require(row).decode(
                String.self, String.self, String.self, String.self, String.self)
            #expect(role == "dialtone_service")
            #expect([statement, lock, transaction] == ["10s", "10s", "10s"])
            #expect(idle == "0", "LISTEN idles for as long as the node lives")
        }
    }

    /// What one client of a pooler in transaction mode sets would hold for the next one.
    @Test func `a setting is sent past a pooler only`() async throws {
        let (pooled, direct) = ("postgresql://u@127.0.0.1:6432/d", "postgresql://u@127.0.0.1:5432/d")
        for (flags, isSent) in [
            (["DATABASE_URL": direct], true),
            (["DATABASE_URL": pooled, "DIALTONE_POOLER": "transaction", "DATABASE_DIRECT_URL": direct], true),
            (["DATABASE_URL": pooled, "DIALTONE_POOLER": "transaction"], false),
        ] {
            let settings = try await Settings.read(flags: flags)
            let configuration = try SharedParts.directDatabase(settings)
            #expect(configuration.settings.isEmpty, "a pooler in session mode takes no option")
            #expect((configuration.startScript != nil) == isSent, "\(flags)")
        }
    }

    /// The login inherits nothing here, and the right to take the lock is the service's alone.
    @Test func `a running node holds its lock as the service`() async throws {
        try await Self.withLogin { database, url in
            try await database.admin.script(
                """
                revoke execute on function pg_try_advisory_lock(integer, integer) from public;
                grant execute on function pg_try_advisory_lock(integer, integer) to dialtone_service;
                """)
            let kek = FileManager.default.temporaryDirectory.appendingPathComponent("kek-\(UUID())").path
            try Administration.generateKey().write(toFile: kek, atomically: true, encoding: .utf8)
            defer { try? FileManager.default.removeItem(atPath: kek) }
            let settings = try await Settings.read(
                flags: [
                    "DATABASE_URL": url, "DIALTONE_KEK": "file:\(kek)", "TELNYX_API_KEY": "test-key",
                    "TELNYX_BASE_URL": "http://127.0.0.1:1/v2", "DIALTONE_LISTEN": "127.0.0.1:0",
                ])
            try await Story.withNode(settings) { _ in
                try await database.until(
                    """
                    select 1 from pg_locks lock
                    join dialtone.workers worker on lock.objid::bigint = worker.lock_key
                    where lock.locktype = 'advisory' and lock.objsubid = 2 and lock.granted
                    """)
            }
        }
    }

    /// Lends a login that may take the service's role and has no right without it, and drops it.
    private static func withLogin(_ work: (TestDatabase, String) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            let name = "direct_\(UUID().uuidString.prefix(8).lowercased())"
            try await database.admin.script("create role \(name) login noinherit; grant dialtone_service to \(name)")
            let outcome: Result<Void, any Error>
            do {
                outcome = .success(
                    try await work(database, database.url.replacing("user=postgres", with: "user=\(name)")))
            } catch {
                outcome = .failure(error)
            }
            try await database.admin.script("drop role \(name)")
            try outcome.get()
        }
    }
}
