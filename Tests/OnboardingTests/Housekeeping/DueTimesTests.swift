// SPDX-License-Identifier: Apache-2.0
// After the database's clock went back, little waits until the clock has passed the old time again.

import Model
import Postgres
import TestSupport
import Testing

@testable import Onboarding

@Suite struct DueTimesTests {
    @Test func `times beyond twice the longest pause are cut`() async throws {
        try await TestDatabase.with { database in
            let left = try await Self.waiting(
                after: ["3 days", "17 hours", "21 minutes", "3 days", "61 minutes"], database)
            #expect(left.isEmpty)
        }
    }

    @Test func `times that may be true stay as they are`() async throws {
        try await TestDatabase.with { database in
            let left = try await Self.waiting(
                after: ["2 days", "15 hours", "19 minutes", "47 hours", "59 minutes"], database)
            #expect(left == ["doubts", "jobs", "surplus", "tags", "walk"])
        }
    }

    /// Sets the times of a tag, a doubt, surplus, the walk and a job in doubt that far ahead, and cuts what is too long.
    /// Returns what still waits. A tag that was cut is visited within an hour.
    private static func waiting(after times: [String], _ database: TestDatabase) async throws -> [String] {
        try await database.insert(
            Ledger.tenant(), Ledger.tag(), Ledger.user(), Ledger.job(state: .inDoubt, isDoubtful: true),
            Ledger.surplus(ProviderID(rawValue: "s")),
            """
            insert into dialtone.doubts (tenant_id, user_id, generation, due_at)
            values (\(testUserKey.tenant), \(testUserKey.user), 1, now())
            """)
        let tables = [
            ("tenant_tags", "due_at"), ("doubts", "due_at"), ("surplus", "due_at"), ("account_walk", "due_at"),
            ("jobs", "run_at"),
        ]
        for ((table, column), time) in zip(tables, times) {
            try await database.admin.script(
                "update dialtone.\(table) set \(column) = clock_timestamp() + interval '\(time)'")
        }
        for statement in DueTimes.cut(interval: .seconds(3600)) { _ = try await database.pool.query(statement) }
        return try await database.admin.query(
            """
            select name from (
                select 'tags' as name, due_at - interval '1 hour' as due_at from dialtone.tenant_tags
                union all select 'doubts', due_at from dialtone.doubts
                union all select 'surplus', due_at from dialtone.surplus
                union all select 'walk', due_at from dialtone.account_walk
                union all select 'jobs', run_at from dialtone.jobs) times
            where due_at > clock_timestamp() order by name
            """
        ).map { try $0.decode(String.self) }
    }
}
