// SPDX-License-Identifier: Apache-2.0
// The facts behind a reason are read by keys, for one user as for a page, and as the tenant.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Directory

@Suite struct ReasonsTests {
    private static let reader = Reader(tenant: testTenant)

    private static func key(_ name: String) throws -> UserKey {
        UserKey(tenant: testTenant, user: try UserID(name))
    }

    /// A tenant, a server that it was seen under, and a worker that nobody knows.
    private static func begin(_ database: TestDatabase) async throws {
        try await database.insert(Ledger.tenant())
    }

    @Test func `a page of users has a reason for each, and each is its own`() async throws {
        try await TestDatabase.with { database in
            try await Self.begin(database)
            try await DirectoryBed.add(["waits"], .pending, database)
            try await DirectoryBed.add(["ready"], .ready, database)
            try await DirectoryBed.add(["failed"], .failed, database)
            try await DirectoryBed.add(["going"], .revoking, database)
            try await DirectoryBed.add(["gone"], .revoked, database)
            try await database.insert(Ledger.user(try Self.key("lost")))
            let (queries, _) = try DirectoryBed.queries(database)
            let page = try await queries.users.page(of: UserList(of: testTenant), limit: 50, as: Self.reader)
            let codes = Dictionary(uniqueKeysWithValues: page.users.map { ($0.userID, $0.why?.code) })
            #expect(
                codes == [
                    "waits": .inLine, "ready": .ready, "failed": .rejected, "going": .removing, "gone": .removed,
                    "lost": .forgotten,
                ])
        }
    }

    @Test func `the place in line counts the jobs of all tenants before it`() async throws {
        try await TestDatabase.with { database in
            try await Self.begin(database)
            try await DirectoryBed.add(["x-1", "x-2"], .pending, of: try TenantID("globex"), database)
            try await DirectoryBed.add(["u"], .pending, database)
            try await database.insert("update dialtone.jobs set place = case when user_id = 'u' then 9 else 1 end")
            let (queries, _) = try DirectoryBed.queries(database)
            let why = try await queries.reasons.why(try Self.key("u"), as: Self.reader)
            #expect(why.code == .inLine && why.text.contains("3rd"))
        }
    }

    @Test func `a stopped connection, a pause and a stopped database are said`() async throws {
        try await TestDatabase.with { database in
            try await Self.begin(database)
            try await DirectoryBed.add(["u"], .pending, database)
            let (queries, _) = try DirectoryBed.queries(database)
            try await database.insert(
                """
                insert into dialtone.provider_limits (scope, breaker, opened_at, probe_until, reason)
                values ('connection:1', 'open', now(), now() + interval '5 s', 'HTTP 403')
                """)
            let refused = try await queries.reasons.why(try Self.key("u"), as: Self.reader)
            #expect(refused.code == .connectionRefused && refused.text.contains("HTTP 403") && refused.nextAt != nil)
            try await database.insert(
                "update dialtone.provider_limits set scope = 'connection:2'",
                """
                insert into dialtone.provider_limits (scope, paused_until)
                values ('kind:creates', now() + interval '5 s')
                """)
            #expect(try await queries.reasons.why(try Self.key("u"), as: Self.reader).code == .slowDown)
        }
    }

    @Test func `the last call for a job that waits is told`() async throws {
        try await TestDatabase.with { database in
            try await Self.begin(database)
            try await DirectoryBed.add(["u"], .pending, database)
            try await database.insert(
                "update dialtone.jobs set state = 'scheduled', attempts = 1, enqueued_at = now() - interval '1 minute'",
                """
                insert into dialtone.job_log (job_id, tenant_id, user_id, generation, from_state, to_state, epoch,
                                              http_status, error_code)
                values (gen_random_uuid(), \(testTenant), 'u', 1, 'armed', 'scheduled', 1, 500, '10001')
                """)
            let (queries, _) = try DirectoryBed.queries(database)
            let why = try await queries.reasons.why(try Self.key("u"), as: Self.reader)
            #expect(why.code == .tryingAgain && why.text.contains("500 (10001)"))
        }
    }

    @Test func `for a user who is not known it is told what the tenant's sources were refused`() async throws {
        try await TestDatabase.with { database in
            try await Self.begin(database)
            let (queries, _) = try DirectoryBed.queries(database)
            let nothing = try await queries.reasons.why(try Self.key("ada"), as: Self.reader)
            #expect(nothing.code == .unknown && nothing.text.contains("nothing was refused"))
            try await database.insert(
                """
                insert into dialtone.sources (source_id, tenant_id, slug, hook_id, preset)
                values ('00000000-0000-0000-0000-00000000000a', \(testTenant), 'acme-app', 'hk_1', 'standard')
                """,
                """
                insert into dialtone.tally (bucket, source_id, count, last_at, minutes, outcome, reason)
                values (date_trunc('minute', now()), '00000000-0000-0000-0000-00000000000a', 41, now(), 1, 'refused',
                        'proof_signature')
                """)
            let why = try await queries.reasons.why(try Self.key("ada"), as: Self.reader)
            #expect(why.code == .unknown && why.text.contains("acme-app") && why.text.contains("41 times"))
            #expect(why.text.contains("signature") && why.since != nil)
            let stranger = Reader(tenant: try TenantID("globex"))
            let hidden = try await queries.reasons.why(try Self.key("ada"), as: stranger)
            #expect(!hidden.text.contains("acme-app"), "row-level security hides the source")
        }
    }

    @Test func `for a user of whom something is kept and not used it is told why`() async throws {
        try await TestDatabase.with { database in
            try await Self.begin(database)
            try await database.insert(
                """
                insert into dialtone.sources (source_id, tenant_id, slug, hook_id, preset)
                values ('00000000-0000-0000-0000-00000000000a', \(testTenant), 'acme-app', 'hk_1', 'standard')
                """,
                """
                with told as (
                    insert into dialtone.events (received_at, event_id, source_id, delivery_id, tenant_id, user_id, wanted,
                                                 outcome)
                    values (now(), gen_random_uuid(), '00000000-0000-0000-0000-00000000000a', 'd', \(testTenant), 'ada',
                            null, 'quarantined')
                    returning event_id, source_id, tenant_id)
                insert into dialtone.quarantine (event_id, source_id, config_version, tenant_id, size, body_sha256,
                                                 reason)
                select event_id, source_id, 1, tenant_id, 9, decode(repeat('00', 32), 'hex'), 'wrong_type' from told
                """)
            let (queries, _) = try DirectoryBed.queries(database)
            let why = try await queries.reasons.why(try Self.key("ada"), as: Self.reader)
            #expect(why.code == .unknown && why.text.contains("is kept: wrong type") && why.since != nil)
        }
    }

    @Test func `the locks of the server are read once a second, however many ask`() {
        let (sight, now) = (WorkerSight(), ContinuousClock.now)
        #expect((0..<9).count { _ in sight.isDue(now) } == 1)
        sight.see(false)
        #expect(sight.seen == false && !sight.isDue(now + .milliseconds(999)) && sight.isDue(now + .seconds(1)))
    }

    @Test func `the facts of fifty users are read by keys`() async throws {
        try await TestDatabase.with { database in
            try await DirectoryBed.addReady(50_000, database)
            try await database.admin.script("vacuum analyze")
            let users = try (1...50).map { try UserID("r-\($0)") }
            try await database.pool.withTransaction { connection in
                _ = try await connection.query(TenantReads.wall(testTenant, timeLimit: nil))
                let statement = WhySelect.facts(users, of: testTenant, withRank: true)
                let plan = try await QueryPlan.generic(of: statement, on: connection)
                #expect(plan.walkedTables.isEmpty && !plan.description.contains("Bitmap"), "\(plan)")
            }
        }
    }
}
