// SPDX-License-Identifier: Apache-2.0
// A tenant is trusted again when each of its tags was listed whole since the server changed. Tenants with jobs: first.

import Foundation
import Lifecycle
import Model
import Postgres
import Queue
import TestSupport
import Testing

@testable import Onboarding

@Suite struct TenantTrustTests {
    @Test func `a tenant is seen with the last of its tags`() async throws {
        try await Self.with { database in
            try await database.insert(
                """
                insert into dialtone.tenant_tags (tenant_id, shard, tag, opened)
                values (\(testTenant), 2, 'acme.2', 1)
                """)
            try await database.commit(Self.saw(2))
            #expect(try await Self.isSeen(database) == false)
            try await database.commit(Self.saw(1))
            #expect(try await Self.isSeen(database) == true)
        }
    }

    @Test func `a list that began before the quiet time gives no trust`() async throws {
        try await Self.with { database in
            let quiet = Date(timeIntervalSince1970: 1_800_000_000)
            _ = try await database.admin.query("update dialtone.incarnation set quiet_until = \(quiet)")
            try await database.commit(Self.saw(1, began: quiet - 1))
            #expect(try await Self.isSeen(database) == false)
            try await database.commit(Self.saw(1, began: quiet))
            #expect(try await Self.isSeen(database) == true)
        }
    }

    @Test func `a visit that another server has overtaken gives no trust`() async throws {
        try await Self.with { database in
            try await database.admin.script("update dialtone.incarnation set era = 2")
            try await database.commit(Self.saw(1))
            let seen = try await database.admin.query(
                "select 1 from dialtone.tenant_tags where seen_era is not null")
            #expect(seen.isEmpty)
            #expect(try await Self.isSeen(database) == false)
        }
    }

    @Test func `a tag that nobody has opened makes no tenant seen`() async throws {
        try await Self.with { database in
            try await database.admin.script("delete from dialtone.tenant_tags")
            try await database.commit(Self.saw(1))
            #expect(try await Self.isSeen(database) == false)
        }
    }

    /// After a restart of the server all tags are in line. Visits take them by their due time.
    @Test func `after a restart with 50 tenants the one with a job is seen first`() async throws {
        try await Self.with { database in
            for number in 1...50 {
                let tenant = try TenantID("t-\(number)")
                try await database.insert(Ledger.tenant(tenant), Ledger.tag(of: tenant))
            }
            try await database.insert(Ledger.unseen)
            let last = UserKey(tenant: try TenantID("t-50"), user: testUser)
            try await database.insert(Ledger.user(last), Ledger.job(of: last))
            let terms = ClaimTerms(
                worker: WorkerID(rawValue: UUID()), era: 1, lease: .seconds(30), landingTime: .seconds(40),
                tagCapacity: 980)
            let jobs = try await database.pool.query(ClaimedJob.queued(limit: 64, from: .beginning, terms)).map {
                try ClaimedJob.read($0, state: .armed, worker: terms.worker).job
            }
            #expect(jobs.count == 1 && jobs[0].life.trust.looksFirst)
            let demand = TagDemand()
            let now = ContinuousClock.now
            let tenants = demand.tenants(of: jobs, at: now)
            #expect(tenants == [last.tenant])
            #expect(demand.tenants(of: jobs, at: now + .seconds(59)).isEmpty, "once a minute")
            #expect(demand.tenants(of: jobs, at: now + .seconds(60)) == [last.tenant])
            _ = try await database.pool.query(TagDemand.putInFront(tenants))
            let first = try await database.admin.query(
                "select tenant_id from dialtone.tenant_tags where due_at <= now() order by due_at limit 1"
            ).first?.decode(String.self)
            #expect(first == "t-50")
        }
    }

    /// In the last case the tag is seen already.
    @Test(arguments: [
        "update dialtone.tenant_tags set failures = 1",
        "update dialtone.incarnation set quiet_until = now() + interval '1 minute'",
        "update dialtone.tenant_tags set seen_era = 1",
    ])
    func `a tag is not put in front after a failed list, before the quiet time, or when it is seen`(
        _ change: String
    ) async throws {
        try await Self.with { database in
            try await database.admin.script(change)
            _ = try await database.pool.query(TagDemand.putInFront([testTenant]))
            let front = try await database.admin.query("select 1 from dialtone.tenant_tags where due_at = '-infinity'")
            #expect(front.isEmpty)
        }
    }

    // MARK: Test bed

    /// Lends a database with a tenant and its first tag, neither of which is seen in era 1.
    private static func with(_ work: (TestDatabase) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            try await database.insert(Ledger.tenant(), Ledger.tag(), Ledger.knownServer, Ledger.unseen)
            try await work(database)
        }
    }

    private static func saw(_ shard: Int32, began: Date = Date()) -> [SQL] {
        TenantTrust.saw(testTenant, shard: shard, era: 1, began: began)
    }

    private static func isSeen(_ database: TestDatabase) async throws -> Bool {
        try await !database.admin.query("select 1 from dialtone.tenants where seen_era = 1").isEmpty
    }
}
