// SPDX-License-Identifier: Apache-2.0
// Old days of the log go, and neither a new day nor an old one makes a claim wait behind a long reader.

import Foundation
import Model
import Postgres
import Queue
import TestSupport
import Testing

@testable import Onboarding

@Suite struct OldLogTests {
    private static let makeDays = "select dialtone.ensure_job_log_partitions()::text"

    /// Makes the day of so many days ago, with one transition in it.
    private static func addDay(_ days: Int, _ database: TestDatabase) async throws {
        try await database.admin.script(
            """
            set role dialtone_owner;
            do $$
            declare
                day date := (now() at time zone 'UTC')::date - \(days);
            begin
                execute format('create table dialtone.%I partition of dialtone.job_log for values from (%L) to (%L)',
                    'job_log_' || to_char(day, 'YYYYMMDD'), day::timestamp at time zone 'UTC',
                    (day + 1)::timestamp at time zone 'UTC');
            end $$;
            reset role;
            \(Self.transition(days))
            """)
    }

    private static func transition(_ days: Int) -> String {
        """
        insert into dialtone.job_log (at, job_id, tenant_id, user_id, generation, from_state, to_state, epoch)
        values (((now() at time zone 'UTC')::date - \(days))::timestamp at time zone 'UTC' + interval '1 hour',
                gen_random_uuid(), 'acme', 'user-1', \(days + 1), 'armed', 'owned', 1);
        """
    }

    /// How many days old each transition is, the youngest first.
    private static func days(_ database: TestDatabase) async throws -> [Int32] {
        try await database.admin.query("select generation - 1 from dialtone.job_log order by 1")
            .map { try $0.decode(Int32.self) }
    }

    @Test func `a day that ended longer ago than the setting is dropped, and no other`() async throws {
        try await TestDatabase.with { database in
            for days in [1, 29, 30, 31, 32, 400] { try await Self.addDay(days, database) }
            try await database.commit([OldLog.dropDays(after: 30)])
            #expect(try await Self.days(database) == [1, 29, 30])
            let left = try await database.admin.query(
                "select 1 from pg_class where relname ~ '^job_log_[0-9]{8}$' and relkind = 'r'")
            #expect(left.count == 3)
        }
    }

    @Test func `rows outside a day go by page after the setting`() async throws {
        try await TestDatabase.with { database in
            for days in [10, 31, 32, 33] { try await database.admin.script(Self.transition(days)) }
            let statement = OldLog.forgetRows(after: 30, limit: 2)
            let gone = try await database.pool.query(statement).first?.decode(Int64.self)
            #expect(gone == 2)
            _ = try await database.pool.query(statement)
            #expect(try await Self.days(database) == [10])
        }
    }

    /// A dump reads all tables to its end. The days are made hourly, days ahead, and may wait. A claim may not.
    @Test func `while a reader of the log stands, days are neither made nor dropped and claims do not wait`()
        async throws
    {
        try await TestDatabase.with { database in
            try await Self.addDay(40, database)
            try await database.admin.script("begin; select count(*) from dialtone.job_log")
            for statement in [OldLog.dropDays(after: 30), "\(unsafeText: Self.makeDays)"] as [SQL] {
                let error = await #expect(throws: PostgresError.self) {
                    _ = try await database.pool.query(statement)
                }
                #expect(error?.sqlState == "55P03")
            }
            try await database.pool.withConnection { connection in
                _ = try await connection.query("set lock_timeout = '50ms'")
                _ = try await connection.query("\(unsafeText: String(Self.transition(0).dropLast()))")
            }
            try await database.admin.script("commit")
            try await database.commit([OldLog.dropDays(after: 30), "\(unsafeText: Self.makeDays)"])
            #expect(try await Self.days(database) == [0])
        }
    }

    /// `ensure_job_log_partitions` attaches a day as this test does, but gives up after 100 ms. Writers of the log do not
    /// meet the lock of an attach.
    @Test func `a claim does not wait while a day waits for a reader`() async throws {
        try await TestDatabase.with { database in
            try await database.commit(["\(unsafeText: Self.makeDays)"])
            try await database.admin.script("begin; select count(*) from dialtone.job_log")
            let waiting = try await PostgresConnection.connect(PostgresConfiguration(url: database.url))
            try await waiting.script(
                "create table dialtone.job_log_20000101 (like dialtone.job_log including defaults)")
            async let attached: Void = waiting.script(
                """
                alter table dialtone.job_log attach partition dialtone.job_log_20000101
                for values from ('2000-01-01 00:00Z') to ('2000-01-02 00:00Z')
                """)
            try await database.untilSomebodyWaitsForALock()
            try await database.pool.withConnection { connection in
                _ = try await connection.query("set lock_timeout = '50ms'")
                _ = try await connection.query("\(unsafeText: String(Self.transition(0).dropLast()))")
            }
            try await database.admin.script("commit")
            try await attached
            await waiting.close()
        }
    }
}
