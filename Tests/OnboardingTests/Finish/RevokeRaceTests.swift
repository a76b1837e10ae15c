// SPDX-License-Identifier: Apache-2.0
// A transaction that waits for a lock sees what was committed under that lock meanwhile.

import Foundation
import Model
import Postgres
import Queue
import TestSupport
import Testing

@testable import Intake
@testable import Onboarding

@Suite struct RevokeRaceTests {
    @Test func `a revoke that waits for a finish closes the credential that the finish records`() async throws {
        try await Self.withArmedJob { database, job in
            try await Self.first(Evidence.record([job.evidence(id: "p")]), then: Self.event(.gone, at: 2), database)
            #expect(try await Self.credentials(database) == ["1 closing"])
            // A newer sign-up makes the next generation, and the revoked one stays closed.
            try await database.commit(Self.statements(Self.event(.live, at: 3)))
            #expect(try await Self.credentials(database) == ["1 closing"])
            #expect(try await Self.users(database) == ["live 2 pending"])
        }
    }

    @Test func `a revoke that waits for a burial makes the dead job look`() async throws {
        try await Self.withArmedJob { database, job in
            try await database.admin.script("update dialtone.jobs set quiet_until = now() + interval '1 hour'")
            let burial = Burial(
                lease: job.lease, user: job.user, reason: "too_many_attempts", words: nil, mayExist: true,
                trace: Trace())
            try await Self.first(burial.statements, then: Self.event(.gone, at: 2), database)
            let jobs = try await database.admin.query(
                """
                select state || ' ' || in_doubt || ' ' || (quiet_until > now()) || ' ' || (run_at <= now())
                from dialtone.jobs
                """
            ).map { try $0.decode(String.self) }
            #expect(jobs == ["in_doubt true true true"], "it looks before the revoke is done")
        }
    }

    /// A lock taken before the revoke's statement would find nobody to lock.
    @Test func `a revoke that waits for another node's sign-up closes what that sign-up has come to`() async throws {
        try await TestDatabase.with { database in
            try await Self.prepare(database)
            let signUp = [EventStatement.insert([Self.event(.live, at: 1)], places: ["acme": 1])]
            let made = Ledger.credential(ProviderID(rawValue: "p"))
            try await Self.first(signUp + [made], then: Self.event(.gone, at: 2), database)
            #expect(try await Self.users(database) == ["gone 1 revoking"])
            #expect(try await Self.credentials(database) == ["1 closing"])
        }
    }

    @Test func `a credential that a rotation still serves closes at once when its user is revoked`() async throws {
        try await Self.withArmedJob { database, job in
            try await database.commit(Evidence.record([job.evidence(id: "p")]))
            try await database.admin.script(
                "update dialtone.credentials set status = 'closing', close_after = now() + interval '1 hour'")
            try await database.commit(Self.statements(Self.event(.gone, at: 2)))
            let waiting = try await database.admin.query(
                "select 1 from dialtone.credentials where close_after is not null")
            #expect(waiting.isEmpty)
        }
    }

    @Test func `an id that becomes surplus while its record waits is not recorded too`() async throws {
        try await Self.withArmedJob { database, job in
            let surplus = Surplus(
                ids: [ProviderID(rawValue: "p")], user: job.user, generation: 1, name: "n", tag: "acme")
            try await Self.first(surplus.statements, then: Evidence.record([job.evidence(id: "p")]), database)
            #expect(try await Self.credentials(database).isEmpty)
            #expect(try await database.admin.query("select 1 from dialtone.surplus").count == 1)
        }
    }

    @Test func `a tenant is not seen while a shard opens that was not listed`() async throws {
        try await Self.withFullTag { database in
            let open = TagShards.openNext(for: testTenant, capacity: 980)
            try await Self.first(open, then: Self.saw(1), database)
            #expect(try await Self.seen(database) == ["acme"], "the tag, and not its tenant")
            try await database.commit(Self.saw(2))
            #expect(try await Self.seen(database) == ["acme", "acme.2", "tenant"])
        }
    }

    @Test func `a shard that opens while its tenant is declared seen is seen too`() async throws {
        try await Self.withFullTag { database in
            try await Self.first(Self.saw(1), then: TagShards.openNext(for: testTenant, capacity: 980), database)
            #expect(try await Self.seen(database) == ["acme", "acme.2", "tenant"])
        }
    }

    /// Lends a database with a tenant whose only tag is full. Neither is seen in era 1.
    private static func withFullTag(_ work: (TestDatabase) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            try await Self.prepare(database)
            try await database.insert(Ledger.knownServer, Ledger.unseen)
            try await database.admin.script("update dialtone.tenant_tags set held = 980")
            try await work(database)
        }
    }

    private static func saw(_ shard: Int32) -> [SQL] {
        TenantTrust.saw(testTenant, shard: shard, era: 1, began: Date())
    }

    /// What is seen in era 1: tags by their names, and the tenant.
    private static func seen(_ database: TestDatabase) async throws -> [String] {
        try await database.admin.query(
            """
            select tag from dialtone.tenant_tags where seen_era = 1
            union all select 'tenant' from dialtone.tenants where seen_era = 1 order by 1
            """
        ).map { try $0.decode(String.self) }
    }

    // MARK: Two connections

    private static func first(_ earlier: [SQL], then event: NewEvent, _ database: TestDatabase) async throws {
        try await Self.first(earlier, then: Self.statements(event), database)
    }

    /// Runs `earlier` and holds its locks until `later` waits for one of them. Then commits `earlier`, and returns when
    /// `later` has committed.
    private static func first(_ earlier: [SQL], then later: [SQL], _ database: TestDatabase) async throws {
        let holder = try await PostgresConnection.connect(PostgresConfiguration(url: database.url))
        try await holder.script("begin")
        for statement in earlier { _ = try await holder.query(statement) }
        async let waiting: Void = database.commit(later)
        try await database.untilSomebodyWaitsForALock()
        try await holder.script("commit")
        try await waiting
        await holder.close()
    }

    private static func statements(_ event: NewEvent) -> [SQL] {
        [EventStatement.insert([event], places: ["acme": 1])] + [EventStatement.amend([event])].compactMap(\.self)
    }

    // MARK: Test bed

    /// One source: between two, a few minutes are a tie.
    private static let source = SourceID(rawValue: UUID())

    private static func event(_ wanted: Wanted, at minute: Int) -> NewEvent {
        NewEvent(
            id: EventID(at: Date()), source: Self.source, deliveryID: "d-\(minute)", receivedAt: Date(),
            change: UserChange(user: testUserKey, wanted: wanted, occurredAt: Self.time(ofMinute: minute)))
    }

    private static func prepare(_ database: TestDatabase) async throws {
        try await database.insert(Ledger.tenant(), Ledger.tag())
        try await ArmedJob.nameInstallation(database)
    }

    /// Lends a database with one armed job. Its user's sign-up was said to be at minute 0.
    private static func withArmedJob(_ work: (TestDatabase, ArmedJob) async throws -> Void) async throws {
        try await ArmedJob.with(1) { database, jobs in
            _ = try await database.admin.query("update dialtone.users set occurred_at = \(Self.time(ofMinute: 0))")
            try await work(database, jobs[0])
        }
    }

    private static func time(ofMinute minute: Int) -> Date {
        Date(timeIntervalSince1970: 1_800_000_000 + TimeInterval(minute) * 60)
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
