// SPDX-License-Identifier: Apache-2.0
// A read of users is the tenant's own, only reads, ends in time or with its caller, and shows every member.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Directory

@Suite struct UserReadTests {
    @Test func `a read runs as the tenant and can only read, and the connection is the service's again`() async throws {
        try await TestDatabase.with(connections: 1) { database in
            let inside = try await database.pool.withConnection { connection in
                try await connection.pipeline([
                    [TenantReads.wall(testTenant, timeLimit: .seconds(2)), Self.session]
                ])[0][1].get().first?.decode(String.self)
            }
            #expect(inside == "dialtone_tenant on acme 2s")
            let after = try await database.pool.query(Self.session).first?.decode(String.self)
            #expect(after == "dialtone_service off  0")
        }
    }

    private static let session: SQL = """
        select concat_ws(' ', current_user, current_setting('transaction_read_only'),
                         coalesce(current_setting('dialtone.tenant', true), ''), current_setting('statement_timeout'))
        """

    @Test func `a statement that takes longer than its limit is stopped`() async throws {
        try await TestDatabase.with { database in
            try await database.admin.script("begin; lock table dialtone.users")
            let users = try DirectoryBed.users(database, timeLimit: .milliseconds(100))
            let error = await #expect(throws: PostgresError.self) {
                _ = try await users.list(of: testTenant, after: nil, limit: 9)
            }
            #expect(error?.isTooSlow == true)
        }
    }

    @Test func `an operator's read, of all tenants, is stopped too`() async throws {
        try await TestDatabase.with { database in
            try await database.admin.script("begin; lock table dialtone.tenants")
            let reads = TenantReads(pool: database.pool, timeLimit: .milliseconds(100))
            let error = await #expect(throws: PostgresError.self) {
                _ = try await reads.rows(for: .ofAll(key: "k"), "select tenant_id from dialtone.tenants")
            }
            #expect(error?.isTooSlow == true)
        }
    }

    @Test func `a read whose task is cancelled ends in the database too`() async throws {
        try await TestDatabase.with { database in
            try await database.admin.script("begin; lock table dialtone.users")
            let users = try DirectoryBed.users(database)
            let list = Task { try await users.list(of: testTenant, after: nil, limit: 9) }
            try await database.untilSomebodyWaitsForALock()
            list.cancel()
            await #expect(throws: PostgresError.self) { try await list.value }
            let counts = database.pool.counts
            #expect(counts.leased == 0 && counts.waiting == 0)
            // The connection is used again, so nothing of the statement is left on it.
            #expect(try await database.pool.query("select 1").count == 1)
        }
    }

    @Test func `a key with its full number of reads is refused, and another tenant's is not`() async throws {
        try await TestDatabase.with(connections: 2) { database in
            try await DirectoryBed.add(["g"], to: "globex", database)
            let globex = UserKey(tenant: try TenantID("globex"), user: try UserID("g"))
            try await database.admin.script("begin; lock table dialtone.users")
            let users = try DirectoryBed.users(database)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<48 {
                    group.addTask { _ = try await users.list(of: testTenant, after: nil, limit: 9, by: "k") }
                }
                while database.pool.counts.leased + database.pool.counts.waiting < 48 { await Task.yield() }
                await #expect(throws: PoolShares.TooMany.self) { try await users.show(testUserKey, by: "k") }
                group.addTask {
                    let shown = try await users.show(globex, by: "other")
                    #expect(shown?.userID == "g")
                }
                while database.pool.counts.leased + database.pool.counts.waiting < 49 { await Task.yield() }
                try await database.admin.script("commit")
                try await group.waitForAll()
            }
        }
    }
}
