// SPDX-License-Identifier: Apache-2.0
// A page of users by status begins in the table that holds few: it costs a page, however many users are ready.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Directory

@Suite struct StatusPageTests {
    @Test(arguments: UserStatus.allCases)
    func `a page by status lists the tenant's users with that status, in order`(status: UserStatus) async throws {
        try await TestDatabase.with { database in
            let globex = try TenantID("globex")
            for other in UserStatus.allCases {
                try await DirectoryBed.add(["c-\(other)", "a-\(other)", "b-\(other)"], other, database)
                try await DirectoryBed.add(["x-\(other)"], other, of: globex, database)
            }
            let users = try DirectoryBed.users(database)
            let all = ["a-\(status)", "b-\(status)", "c-\(status)"]
            let page = try await users.list(of: testTenant, after: nil, limit: 9, status: status)
            #expect(page.users.map(\.userID) == all && page.next == nil)
            #expect(page.users.allSatisfy { $0.status == status.rawValue && $0.tenant == "acme" })
            let first = try await users.list(of: testTenant, after: nil, limit: 2, status: status)
            #expect(first.users.map(\.userID) == Array(all.prefix(2)))
            let rest = try await users.list(of: testTenant, after: first.next?.user, limit: 2, status: status)
            #expect(rest.users.map(\.userID) == Array(all.suffix(1)) && rest.next == nil)
        }
    }

    /// A job of a ready user replaces a credential. A dead job may be due again before its user is told so.
    @Test func `a user is on a page once, and only by status`() async throws {
        try await TestDatabase.with { database in
            try await DirectoryBed.add(["ready"], .ready, database)
            try await DirectoryBed.add(["served"], .ready, database)
            try await DirectoryBed.add(["failed"], .failed, database)
            try await database.insert(
                Ledger.job(of: UserKey(tenant: testTenant, user: try UserID("ready"))),
                Ledger.deadJob(of: UserKey(tenant: testTenant, user: try UserID("served"))))
            let users = try DirectoryBed.users(database)
            for (status, names) in [(UserStatus.failed, ["failed"]), (.pending, []), (.ready, ["ready", "served"])] {
                let page = try await users.list(of: testTenant, after: nil, limit: 9, status: status)
                #expect(page.users.map(\.userID) == names, "\(status)")
            }
        }
    }

    /// A fresh installation is analysed while its tables are empty. A connection keeps the plans it made then.
    @Test(arguments: [0, 50_000])
    func `no page walks a table or reads a bitmap, whatever the planner knew`(ready: Int) async throws {
        try await TestDatabase.with { database in
            if ready > 0 {
                try await DirectoryBed.addReady(ready, database)
                try await Self.addFew(database)
            }
            try await database.admin.script("vacuum analyze")
            for status in [nil] + UserStatus.allCases.map(Optional.some) {
                let statement = UserSelect.page(
                    UserList(of: testTenant, status.map(UserFilter.init(status:)) ?? UserFilter()), UserKeys(),
                    after: nil,
                    limit: 51)
                try await database.pool.withTransaction { connection in
                    _ = try await connection.query(TenantReads.wall(testTenant, timeLimit: nil))
                    let plan = try await QueryPlan.generic(of: statement, on: connection)
                    #expect(plan.walkedTables.isEmpty, "\(String(describing: status)): \(plan)")
                    #expect(!plan.description.contains("Bitmap"), "\(String(describing: status)): \(plan)")
                }
            }
        }
    }

    @Test(arguments: [true, false])
    func `among fifty thousand ready users a page of few reads few`(isAnalyzed: Bool) async throws {
        try await TestDatabase.with { database in
            // Without the second ANALYZE the planner believes that the tables are empty.
            try await database.admin.script("vacuum analyze")
            try await DirectoryBed.addReady(50_000, database)
            try await Self.addFew(database)
            if isAnalyzed { try await database.admin.script("vacuum analyze") }
            for (status, count) in [(UserStatus.failed, 5), (.pending, 3), (.revoking, 2)] {
                let (found, read) = try await Self.read(status, limit: 51, database)
                #expect(found == count && read <= 20, "\(status): \(read) rows of users were read")
            }
        }
    }

    @Test(arguments: [true, false])
    func `among five thousand failed users a page reads a page`(isAnalyzed: Bool) async throws {
        try await TestDatabase.with { database in
            try await database.insert(
                Ledger.users(5_000), "update dialtone.users set status = 'failed'",
                """
                insert into dialtone.jobs (id, tenant_id, user_id, generation, place, run_at, enqueued_at, state,
                                           deaths)
                select gen_random_uuid(), tenant_id, user_id, 1, 1, now(), now(), 'dead', 1 from dialtone.users
                """)
            if isAnalyzed { try await database.admin.script("vacuum analyze") }
            let (found, read) = try await Self.read(.failed, limit: 51, database)
            #expect(found == 51 && read <= 60, "\(read) rows of users were read")
        }
    }

    // MARK: Parts

    /// Ten users of `acme` who are not ready.
    private static func addFew(_ database: TestDatabase) async throws {
        try await DirectoryBed.add((1...5).map { "f-\($0)" }, .failed, database)
        try await DirectoryBed.add((1...3).map { "p-\($0)" }, .pending, database)
        try await DirectoryBed.add((1...2).map { "g-\($0)" }, .revoking, database)
    }

    /// Reads one page. Returns its rows, and how many rows of `users` the server has fetched for it.
    private static func read(
        _ status: UserStatus, limit: Int, _ database: TestDatabase
    ) async throws -> (found: Int, read: Int64) {
        try await database.pool.withTransaction { connection in
            _ = try await connection.query(TenantReads.wall(testTenant, timeLimit: nil))
            let page = UserSelect.page(
                UserList(of: testTenant, UserFilter(status: status)), UserKeys(), after: nil, limit: limit)
            let found = try await connection.query(page).count
            let row = try await connection.query(
                """
                select coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) from pg_stat_xact_user_tables
                where schemaname = 'dialtone' and relname = 'users'
                """
            ).first
            return (found, try #require(row).decode(Int64.self))
        }
    }
}
