// SPDX-License-Identifier: Apache-2.0
// A transaction that waits for a lock, and what was committed under that lock meanwhile: two connections, one order each.

import Foundation
import Model
import Postgres
import Queue
import TestSupport
import Testing

@testable import Intake
@testable import Onboarding

@Suite struct RevokeRaceTests {
    private static let installation = UUID()
    private static let worker = WorkerID(rawValue: UUID())

    @Test func `a revoke that waits for a finish closes the credential that the finish records`() async throws {
        try await Self.withArmedJob { database, lease in
            try await Self.first(Evidence.record([Self.evidence(lease)]), then: Self.event(.gone, at: 2), database)
            #expect(try await Self.credentials(database) == ["1 closing"])
            // A newer sign-up makes the next generation, and the revoked one stays closed.
            try await Self.commit(Self.event(.live, at: 3), database.pool)
            #expect(try await Self.credentials(database) == ["1 closing"])
            #expect(try await Self.users(database) == ["live 2 pending"])
        }
    }

    @Test func `a revoke that waits for a burial takes over the buried job's doubt`() async throws {
        try await Self.withArmedJob { database, lease in
            try await database.admin.script("update dialtone.jobs set quiet_until = now() + interval '1 hour'")
            let burial = Burial(
                lease: lease, user: Self.user, reason: "too_many_attempts", words: nil, name: "n", mayExist: true,
                trace: Trace())
            try await Self.first(burial.statements, then: Self.event(.gone, at: 2), database)
            let jobs = try await database.admin.query(
                "select state || ' ' || in_doubt || ' ' || (quiet_until > now()) from dialtone.jobs"
            ).map { try $0.decode(String.self) }
            #expect(jobs == ["in_doubt true true"], "it looks before the revoke is done")
        }
    }

    /// A lock taken before the revoke's statement would find nobody to lock.
    @Test func `a revoke that waits for another node's sign-up closes what that sign-up has come to`() async throws {
        try await TestDatabase.with { database in
            try await Self.prepare(database)
            let signUp = [EventStatement.insert([Self.event(.live, at: 1)], places: ["acme": 1])]
            let made: SQL = """
                insert into dialtone.credentials (tenant_id, user_id, generation, provider_id, name, tag, status,
                                                  sealed_username, sealed_password, username_index)
                values ('acme', 'user-1', 1, 'p', 'n', 'acme', 'active', '1', '1', decode(repeat('00', 16), 'hex'))
                """
            try await Self.first(signUp + [made], then: Self.event(.gone, at: 2), database)
            #expect(try await Self.users(database) == ["gone 1 revoking"])
            #expect(try await Self.credentials(database) == ["1 closing"])
        }
    }

    @Test func `a credential that a rotation still serves closes at once when its user is revoked`() async throws {
        try await Self.withArmedJob { database, lease in
            try await Self.commit(Evidence.record([Self.evidence(lease)]), database.pool)
            try await database.admin.script(
                "update dialtone.credentials set status = 'closing', close_after = now() + interval '1 hour'")
            try await Self.commit(Self.event(.gone, at: 2), database.pool)
            let waiting = try await database.admin.query(
                "select 1 from dialtone.credentials where close_after is not null")
            #expect(waiting.isEmpty)
        }
    }

    @Test func `an id that becomes surplus while its record waits is not recorded too`() async throws {
        try await Self.withArmedJob { database, lease in
            let surplus = Surplus(
                ids: [ProviderID(rawValue: "p")], user: Self.user, generation: 1, name: "n", tag: "acme")
            try await Self.first(surplus.statements, then: Evidence.record([Self.evidence(lease)]), database)
            #expect(try await Self.credentials(database).isEmpty)
            #expect(try await database.admin.query("select 1 from dialtone.surplus").count == 1)
        }
    }

    @Test func `a tenant is not seen while a shard opens that was not listed`() async throws {
        try await TestDatabase.with { database in
            try await Self.prepare(database)
            _ = try await database.admin.query(Incarnation.adopt(lease: .seconds(30), landingTime: .seconds(40)))
            let row = try await database.admin.query("select started from dialtone.incarnation").first
            let started = try #require(row).decode(Int64.self)
            try await database.admin.script("update dialtone.tenant_tags set held = 980")
            let open = TagShards.openNext(for: testTenant, capacity: 980)
            let saw = SweepLease.saw(testTenant, last: 1, began: Date(), started: started)
            try await Self.first(open, then: saw, database)
            #expect(try await database.admin.query("select 1 from dialtone.tenants where swept_at is null").count == 1)
            try await Self.commit(
                SweepLease.saw(testTenant, last: 2, began: Date(), started: started), database.pool)
            #expect(try await database.admin.query("select 1 from dialtone.tenants where swept_at is null").isEmpty)
        }
    }

    // MARK: Two connections

    private static func first(_ earlier: [SQL], then event: NewEvent, _ database: TestDatabase) async throws {
        try await Self.first(earlier, then: Self.statements(event), database)
    }

    /// Runs `earlier` and holds its locks until `later` waits for one of them; then commits it, and returns when `later` has
    /// committed.
    private static func first(_ earlier: [SQL], then later: [SQL], _ database: TestDatabase) async throws {
        let configuration = try PostgresConfiguration(url: database.url)
        let (holder, watcher) = (
            try await PostgresConnection.connect(configuration), try await PostgresConnection.connect(configuration)
        )
        try await holder.script("begin")
        for statement in earlier { _ = try await holder.query(statement) }
        async let waiting: Void = Self.commit(later, database.pool)
        let deadline = ContinuousClock.now + .seconds(30)
        while try await watcher.query(
            "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        ).isEmpty { try #require(ContinuousClock.now < deadline, "the later transaction does not wait") }
        try await holder.script("commit")
        try await waiting
        await holder.close()
        await watcher.close()
    }

    private static func commit(_ event: NewEvent, _ pool: PostgresPool) async throws {
        try await Self.commit(Self.statements(event), pool)
    }

    private static func commit(_ statements: [SQL], _ pool: PostgresPool) async throws {
        let answers = try await pool.withConnection { try await $0.pipeline([statements]) }
        for answer in answers.joined() { _ = try answer.get() }
    }

    private static func statements(_ event: NewEvent) -> [SQL] {
        [EventStatement.insert([event], places: ["acme": 1])] + [EventStatement.amend([event])].compactMap(\.self)
    }

    // MARK: The bed

    private static var user: UserKey { UserKey(tenant: testTenant, user: testUser) }

    private static func event(_ wanted: Wanted, at minute: Int) -> NewEvent {
        NewEvent(
            id: EventID(at: Date()), source: SourceID(rawValue: UUID()), deliveryID: "d-\(minute)", receivedAt: Date(),
            owner: "acme",
            change: UserChange(
                user: Self.user, wanted: wanted,
                occurredAt: Date(timeIntervalSince1970: 1_800_000_000 + TimeInterval(minute) * 60)))
    }

    private static func prepare(_ database: TestDatabase) async throws {
        try await database.admin.script(
            """
            update dialtone.installation set id = '\(Self.installation)';
            insert into dialtone.tenants (tenant_id, connection_id) values ('acme', '1');
            insert into dialtone.tenant_tags (tenant_id, shard, tag) values ('acme', 1, 'acme')
            """)
    }

    private static func withArmedJob(_ work: (TestDatabase, Lease) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            try await Self.prepare(database)
            try await database.admin.script(
                """
                insert into dialtone.users (tenant_id, user_id, wanted, status, received_at, occurred_at)
                values ('acme', 'user-1', 'live', 'pending', now(), to_timestamp(1800000000));
                insert into dialtone.jobs (id, tenant_id, user_id, generation, place, run_at, enqueued_at, state, epoch, worker,
                                           lease_until, tag)
                values (gen_random_uuid(), 'acme', 'user-1', 1, 1, now(), now(), 'armed', 1, '\(Self.worker.rawValue)',
                        now() + interval '1 hour', 'acme')
                """)
            let id = try #require(try await database.admin.query("select id from dialtone.jobs").first).decode(
                UUID.self)
            try await work(database, Lease(job: JobID(rawValue: id), epoch: 1, worker: Self.worker, state: .armed))
        }
    }

    private static func evidence(_ lease: Lease) -> Evidence {
        Evidence(
            lease: lease, installation: Self.installation, user: Self.user, generation: 1,
            providerID: ProviderID(rawValue: "p"), name: "n", tag: "acme", sealedUsername: [1], sealedPassword: [1],
            usernameIndex: Array(repeating: 0, count: 16), expiresAt: nil, trace: Trace(httpStatus: 201))
    }

    private static func credentials(_ database: TestDatabase) async throws -> [String] {
        try await database.admin.query("select generation || ' ' || status from dialtone.credentials order by 1")
            .map { try $0.decode(String.self) }
    }

    private static func users(_ database: TestDatabase) async throws -> [String] {
        try await database.admin.query("select wanted || ' ' || generation || ' ' || status from dialtone.users")
            .map { try $0.decode(String.self) }
    }
}
