// SPDX-License-Identifier: Apache-2.0
// Counts of tenants' minutes become hours without a loss, and both, as what was put right, are forgotten in time.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Onboarding

@Suite struct OldMinutesTests {
    /// Lends a database with a count of each of so many hours back from now, of two tenants, by quarters of an hour.
    private static func with(hours: Int32, _ work: (TestDatabase) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            try await database.insert(
                """
                insert into dialtone.tenant_minutes (tenant_id, minutes, bucket, accepted, ready, latency)
                select tenant, 1, date_trunc('minute', now()) - make_interval(mins => 15 * ago), 1, 1,
                       array_fill(0, array[16]) || 1
                from generate_series(0, \(4 * hours - 1)) ago, unnest(array['acme', 'globex']) tenant
                """)
            try await work(database)
        }
    }

    private static func rows(_ database: TestDatabase, _ statement: SQL) async throws -> [String] {
        try await database.admin.query(statement).map { try $0.decode(String.self) }
    }

    /// Does the chores until they find nothing more.
    private static func keepHouse(_ database: TestDatabase, limit: Int64 = 5000) async throws {
        for statement in [OldMinutes.roll(limit: limit), OldMinutes.forget(limit: limit)] {
            while try await database.pool.query(statement).first?.decode(Int64.self) ?? 0 > 0 {}
        }
    }

    @Test func `minutes older than two days are one row an hour, with their sums`() async throws {
        try await Self.with(hours: 60) { database in
            try await Self.keepHouse(database, limit: 7)
            let rows = try await Self.rows(
                database,
                """
                select concat_ws(' ', minutes, bool_and(minutes = 1 or bucket = date_trunc('hour', bucket)),
                                 bool_and(latency[17] = ready and accepted = ready),
                                 count(*) <= case minutes when 1 then 2 * 193 else 2 * 13 end,
                                 min(bucket) filter (where minutes = 1) >= now() - interval '49 hours')
                from dialtone.tenant_minutes group by minutes order by minutes
                """)
            #expect(rows == ["1 t t t t", "60 t t t"])
            let sums = try await Self.rows(
                database, "select concat_ws(' ', sum(accepted), sum(latency[17])) from dialtone.tenant_minutes")
            #expect(sums == ["480 480"])
        }
    }

    @Test func `hours older than 90 days are forgotten`() async throws {
        try await Self.with(hours: 2400) { database in
            try await Self.keepHouse(database)
            let rows = try await Self.rows(
                database,
                """
                select concat_ws(' ', count(*) between 2 * 2110 and 2 * 2115, min(bucket) >= now() - interval '2161 hours')
                from dialtone.tenant_minutes where minutes = 60 or bucket < now() - interval '49 hours'
                """)
            #expect(rows == ["t t"])
        }
    }

    @Test func `a minute that a node adds to just now is left for the next time`() async throws {
        try await Self.with(hours: 50) { database in
            try await database.admin.script("begin; update dialtone.tenant_minutes set accepted = 2")
            try await database.commit([OldMinutes.roll(limit: 1000)])
            try await database.admin.script("commit")
            #expect(try await Self.rows(database, "select 'x' from dialtone.tenant_minutes where minutes = 60").isEmpty)
            try await Self.keepHouse(database)
            #expect(
                try await Self.rows(database, "select sum(accepted)::text from dialtone.tenant_minutes") == ["800"])
        }
    }

    @Test func `what was put right is forgotten after 90 days, a page at a time`() async throws {
        try await TestDatabase.with { database in
            try await database.insert(
                """
                insert into dialtone.findings (at, kind, tenant_id, provider_id)
                select now() - make_interval(days => 85 + number), 'stray', '-', 'p-' || number
                from generate_series(1, 10) number
                """)
            let statement = OldFindings.forget(after: .seconds(90 * 86_400), limit: 4)
            for _ in 1...2 { _ = try await database.pool.query(statement) }
            #expect(try await Self.rows(database, "select count(*)::text from dialtone.findings") == ["4"])
        }
    }

    @Test func `the chores enter the tables by key`() async throws {
        try await TestDatabase.with { database in
            try await database.admin.script("vacuum analyze")
            try await database.pool.withConnection { connection in
                for statement in [
                    OldMinutes.roll(limit: 10), OldMinutes.forget(limit: 10),
                    OldFindings.forget(after: .seconds(1), limit: 10),
                ] {
                    let plan = try await QueryPlan.generic(of: statement, on: connection)
                    #expect(plan.walkedTables.isDisjoint(with: ["tenant_minutes", "findings"]), "\(plan)")
                }
            }
        }
    }
}
