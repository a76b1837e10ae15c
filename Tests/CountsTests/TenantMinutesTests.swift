// SPDX-License-Identifier: Apache-2.0
// The counts of all processes come together in one row, and a database that is away costs none of them.

import Foundation
import Logging
import Model
import Postgres
import TestSupport
import Testing

@testable import Counts

@Suite struct TenantMinutesTests {
    private static let noon = Date(timeIntervalSince1970: 1_800_000_000)

    private static func process(_ database: TestDatabase) -> (TenantCounts, TenantMinutes) {
        let counts = TenantCounts(now: { Self.noon })
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return (counts, TenantMinutes(counts, pool: database.pool, logger: logger))
    }

    private static func rows(_ database: TestDatabase) async throws -> [String] {
        try await database.admin.query(
            """
            select concat_ws(' ', tenant_id, minutes, extract(epoch from bucket)::bigint, accepted, duplicate, superseded,
                             ignored, quarantined, ready, failed, revoked, latency::text)
            from dialtone.tenant_minutes order by tenant_id, bucket
            """
        ).map { try $0.decode(String.self) }
    }

    @Test func `two processes add to one row of a minute`() async throws {
        try await TestDatabase.with { database in
            for _ in 0..<2 {
                let (counts, minutes) = Self.process(database)
                counts.add(.received(.accepted), of: testTenant, times: 2)
                counts.add(.ready(after: .milliseconds(4)), of: testTenant)
                counts.add(.ready(after: .seconds(900)), of: testTenant)
                await minutes.write()
                counts.add(.revoked, of: testTenant)
                await minutes.write()
            }
            let rows = try await Self.rows(database)
            #expect(
                rows == ["acme 1 1800000000 4 0 0 0 0 4 0 2 {0,0,2,0,0,0,0,0,0,0,0,0,0,0,0,0,2}"])
        }
    }

    @Test func `what cannot be written waits and is written when the database takes it`() async throws {
        try await TestDatabase.with { database in
            let (counts, minutes) = Self.process(database)
            try await database.admin.script("alter table dialtone.tenant_minutes rename to away")
            counts.add(.failed, of: testTenant)
            await minutes.write()
            #expect(counts.waiting == 1)
            try await database.admin.script("alter table dialtone.away rename to tenant_minutes")
            counts.add(.failed, of: testTenant)
            await minutes.write()
            #expect(counts.waiting == 0)
            let failed = try await database.admin.query("select failed from dialtone.tenant_minutes")
                .map { try $0.decode(Int32.self) }
            #expect(failed == [2])
        }
    }

    @Test func `more rows than one statement takes are all written`() async throws {
        try await TestDatabase.with { database in
            let (counts, minutes) = Self.process(database)
            for number in 1...2500 { counts.add(.received(.accepted), of: try TenantID("t-\(number)")) }
            await minutes.write()
            let written = try await database.admin.query("select count(*)::text from dialtone.tenant_minutes")
                .map { try $0.decode(String.self) }
            #expect(written == ["2500"])
        }
    }

    @Test func `an orderly stop writes what is left`() async throws {
        try await TestDatabase.with { database in
            let (counts, minutes) = Self.process(database)
            counts.add(.received(.accepted), of: testTenant)
            let running = Task { await minutes.run() }
            running.cancel()
            await running.value
            let rows = try await Self.rows(database)
            #expect(rows.count == 1)
        }
    }

    @Test func `the rows are entered by key and change in place`() async throws {
        try await TestDatabase.with { database in
            try await database.admin.script("vacuum analyze")
            let row = (key: TenantCounts.Key(minute: 0, tenant: testTenant), count: TenantCount(accepted: 1))
            try await database.pool.withConnection { connection in
                let plan = try await QueryPlan.generic(of: TenantMinutes.add([row]), on: connection)
                #expect(!plan.walkedTables.contains("tenant_minutes"), "\(plan)")
            }
            let named = try await database.admin.query(
                "select indexdef from pg_indexes where tablename = 'tenant_minutes' and indexdef ~ 'accepted|latency'")
            #expect(named.isEmpty)
        }
    }
}
