// SPDX-License-Identifier: Apache-2.0
// Counts of minutes become counts of hours, lose nothing on the way, and are forgotten after 14 days.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Onboarding

@Suite struct OldTallyTests {
    /// Lends a database with a source, and counts of it and of hooks that are not known, one for each of so many
    /// minutes back from now.
    private static func with(minutes: Int32, _ work: (TestDatabase) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            try await database.insert(Ledger.tenant())
            let source = UUID()
            try await database.insert(
                """
                insert into dialtone.sources (source_id, slug, tenant_id, hook_id, preset)
                values (\(source), 'app', \(testTenant), 'hk_app', 'svix')
                """,
                """
                insert into dialtone.tally (bucket, source_id, count, last_at, skew_ms, minutes, outcome, reason)
                select date_trunc('minute', now()) - make_interval(mins => ago), source, 1,
                       date_trunc('minute', now()) - make_interval(mins => ago), ago % 7, 1, 'refused',
                       'busy'
                from generate_series(0, \(minutes - 1)) ago,
                     unnest(array[\(source), '00000000-0000-0000-0000-000000000000']) source
                """)
            try await work(database)
        }
    }

    private static func rows(_ database: TestDatabase, _ statement: SQL) async throws -> [String] {
        try await database.admin.query(statement).map { try $0.decode(String.self) }
    }

    /// Does the chores until they find nothing more.
    private static func keepHouse(_ database: TestDatabase, limit: Int64 = 5000) async throws {
        for statement in [OldTally.roll(limit: limit), OldTally.forget(limit: limit)] {
            while try await database.pool.query(statement).first?.decode(Int64.self) ?? 0 > 0 {}
        }
    }

    @Test func `minutes older than two hours are one row an hour, with their sum and the newest difference`()
        async throws
    {
        try await Self.with(minutes: 600) { database in
            try await Self.keepHouse(database, limit: 70)
            let rows = try await Self.rows(
                database,
                """
                select concat_ws(' ', minutes, sum(count), count(*) <= case minutes when 1 then 246 else 20 end,
                                 bool_and(minutes = 1 or bucket = date_trunc('hour', bucket)),
                                 bool_and(skew_ms is not null),
                                 min(bucket) filter (where minutes = 1) >= now() - interval '122 minutes')
                from dialtone.tally group by minutes order by minutes
                """)
            let sums = try await Self.rows(database, "select sum(count)::text from dialtone.tally")
            #expect(sums == ["1200"])
            #expect(rows.count == 2 && rows[0].hasSuffix("t t t t") && rows[1].hasSuffix("t t t"), "\(rows)")
        }
    }

    @Test func `a source and reason that is refused each minute for 20 days has under 500 rows`() async throws {
        try await Self.with(minutes: 20 * 1440) { database in
            try await Self.keepHouse(database)
            let rows = try await Self.rows(
                database,
                """
                select concat_ws(' ', count(*) < 500, sum(count) > 14 * 1440 - 60 and sum(count) <= 14 * 1440 + 60)
                from dialtone.tally group by source_id
                """)
            #expect(rows == ["t t", "t t"])
        }
    }

    @Test func `a minute that a node adds to just now is left for the next time, and nothing is lost`() async throws {
        try await Self.with(minutes: 200) { database in
            try await database.admin.script(
                "begin; update dialtone.tally set count = 100 where minutes = 1 and reason = 'busy'")
            try await database.commit([OldTally.roll(limit: 1000)])
            try await database.admin.script("commit")
            let untouched = try await Self.rows(database, "select 'x' from dialtone.tally where minutes = 60")
            #expect(untouched.isEmpty)
            try await Self.keepHouse(database)
            let sums = try await Self.rows(database, "select sum(count)::text from dialtone.tally")
            #expect(sums == ["40000"])
        }
    }

    @Test func `the chores enter the table by key`() async throws {
        try await TestDatabase.with { database in
            try await database.admin.script("vacuum analyze")
            try await database.pool.withConnection { connection in
                for statement in [OldTally.roll(limit: 10), OldTally.forget(limit: 10)] {
                    let plan = try await QueryPlan.generic(of: statement, on: connection)
                    #expect(!plan.walkedTables.contains("tally"), "\(plan)")
                }
            }
        }
    }
}
