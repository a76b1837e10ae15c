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
            #expect(nothing.code == .unknown && nothing.text.contains("were refused nothing"))
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
            #expect(why.text.contains("signature") && why.text.contains("the last at 20"))
            #expect(why.since == nil, "the time of a refusal is not that of the user")
            let stranger = Reader(tenant: try TenantID("globex"))
            let hidden = try await queries.reasons.why(try Self.key("ada"), as: stranger)
            #expect(!hidden.text.contains("acme-app"), "row-level security hides the source")
        }
    }

    /// A permit or a stopped scope put the job off. The provider was not asked, so it has not failed to answer.
    @Test func `a job that was put off before any call waits for its turn`() async throws {
        try await TestDatabase.with { database in
            try await Self.begin(database)
            try await DirectoryBed.add(["u"], .pending, database)
            try await database.insert(
                "update dialtone.jobs set state = 'scheduled', enqueued_at = now() - interval '1 minute'",
                "insert into dialtone.provider_limits (scope, rate) values ('connection:1', 5)",
                """
                insert into dialtone.job_log (job_id, tenant_id, user_id, generation, from_state, to_state, epoch,
                                              error_code)
                values (gen_random_uuid(), \(testTenant), 'u', 1, 'armed', 'scheduled', 1, 'waits_for_limit')
                """)
            let (queries, _) = try DirectoryBed.queries(database)
            let why = try await queries.reasons.why(try Self.key("u"), as: Self.reader)
            #expect(why.code == .rateLimited && why.text.contains("5 times a second"), "\(why)")
        }
    }

    /// The sign-up that nobody can place came before the operator's word, which is clear.
    @Test func `an operator's later revoke is told, and not what was unclear before`() async throws {
        try await TestDatabase.with { database in
            try await Self.begin(database)
            try await DirectoryBed.add(["u"], .revoked, database)
            try await database.insert(
                """
                insert into dialtone.events (received_at, event_id, source_id, delivery_id, tenant_id, user_id, wanted,
                                             outcome)
                values (now() + interval '1 second', gen_random_uuid(), gen_random_uuid(), 'd', \(testTenant), 'u', 'live',
                        'superseded')
                """)
            let (queries, _) = try DirectoryBed.queries(database)
            #expect(try await queries.reasons.why(try Self.key("u"), as: Self.reader).code == .removedUnclear)
            try await database.insert("update dialtone.users set held_at = now() + interval '2 seconds'")
            #expect(try await queries.reasons.why(try Self.key("u"), as: Self.reader).code == .removedByOperator)
        }
    }

    /// A job that was given up deletes an older credential meanwhile. Its last answer is not why the user has failed.
    @Test func `a user who failed is told why, also while the job deletes an older credential`() async throws {
        try await TestDatabase.with { database in
            try await Self.begin(database)
            try await DirectoryBed.add(["u"], .failed, database)
            try await database.insert(
                "update dialtone.users set generation = 2",
                "update dialtone.jobs set state = 'scheduled', generation = 1, attempts = 0, enqueued_at = now()",
                """
                insert into dialtone.job_log (at, job_id, tenant_id, user_id, generation, from_state, to_state, epoch,
                                              http_status)
                values (now() + interval '1 second', gen_random_uuid(), \(testTenant), 'u', 1, 'armed', 'scheduled', 1,
                        500)
                """)
            let (queries, _) = try DirectoryBed.queries(database)
            let page = try await queries.users.list(of: testTenant, after: nil, limit: 5, status: .failed)
            #expect(page.users.map(\.userID) == ["u"])
            let (groups, isWhole) = try await queries.failures.groups(of: testTenant, as: Self.reader)
            #expect(groups.map(\.users) == [1] && isWhole)
            let why = try await queries.reasons.why(try Self.key("u"), as: Self.reader)
            #expect(why.code == .rejected && why.nextAt == nil && !why.text.contains("500"), "\(why)")
        }
    }

    @Test(arguments: [
        ("accepted", "waits", "no membership"), ("accepted", "invited", "invitation"),
        ("superseded", "other_source", "changed nothing (other_source)"),
    ])
    func `of a user who is not known it is told what was said`(
        _ outcome: String, _ detail: String, _ words: String
    ) async throws {
        try await TestDatabase.with { database in
            try await Self.begin(database)
            try await database.insert(
                """
                insert into dialtone.events (received_at, event_id, source_id, delivery_id, tenant_id, user_id, wanted,
                                             outcome, detail)
                values (now(), gen_random_uuid(), gen_random_uuid(), 'd', \(testTenant), 'ada', 'live', \(outcome),
                        \(detail))
                """)
            let (queries, _) = try DirectoryBed.queries(database)
            let why = try await queries.reasons.why(try Self.key("ada"), as: Self.reader)
            #expect(why.code == .unknown && why.text.contains(words) && why.since != nil, "\(why)")
        }
    }

    /// Nobody could read whose it is, so the row names no user.
    @Test func `for a user who may be among what is kept and not used it is told why`() async throws {
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
                    values (now(), gen_random_uuid(), '00000000-0000-0000-0000-00000000000a', 'd', \(testTenant), null,
                            null, 'quarantined')
                    returning event_id, source_id, tenant_id)
                insert into dialtone.quarantine (event_id, source_id, config_version, tenant_id, size, body_sha256,
                                                 reason)
                select event_id, source_id, 1, tenant_id, 9, decode(repeat('00', 32), 'hex'), 'wrong_type' from told
                """)
            let (queries, _) = try DirectoryBed.queries(database)
            let why = try await queries.reasons.why(try Self.key("ada"), as: Self.reader)
            #expect(why.code == .unknown && why.text.contains(": wrong type") && why.since == nil)
            #expect(why.text.contains("acme-app"))
        }
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
