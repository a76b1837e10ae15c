// SPDX-License-Identifier: Apache-2.0
// Each create whose outcome is unknown leaves a row that outlives its job, so that a late landing is found.

import Foundation
import Model
import Postgres
import Queue
import TestSupport
import Testing

@Suite struct FollowedDoubtTests {
    @Test func `an unknown outcome of a create is followed in five minutes`() async throws {
        try await Self.withLease(.armed) { (database: TestDatabase, lease: Lease) async throws in
            let unknown = Transition(
                lease: lease, to: .inDoubt, delay: .zero, isDoubtful: true, landingTime: .seconds(40))
            #expect(try await database.pool.query(Transition.write([unknown])).count == 1)
            #expect(try await Self.doubts(database) == ["acme 1 acme 300"])
        }
    }

    /// Its doubt was proven empty before, and another create is on its way.
    @Test func `another doubt of a name is followed from its own time`() async throws {
        try await Self.withLease(.armed) { (database: TestDatabase, lease: Lease) async throws in
            try await database.admin.script(
                """
                insert into dialtone.doubts (tenant_id, user_id, generation, tag, doubted_at, due_at)
                select tenant_id, user_id, generation, 'acme.2', now() - interval '1 hour', now() + interval '8 hours'
                from dialtone.users;
                update dialtone.jobs set in_doubt = true
                """)
            let unknown = Transition(
                lease: lease, to: .inDoubt, delay: .zero, isDoubtful: true, landingTime: .seconds(40))
            _ = try await database.pool.query(Transition.write([unknown]))
            #expect(try await Self.doubts(database) == ["acme 1 acme 300"])
        }
    }

    @Test func `a job that goes back without a create of unknown outcome is not followed`() async throws {
        try await Self.withLease(.looking) { (database: TestDatabase, lease: Lease) async throws in
            let timeless = Transition(
                lease: lease, to: .inDoubt, delay: .zero, isDoubtful: true, landingTime: .seconds(40))
            _ = try await database.pool.query(Transition.write([timeless]))
            #expect(try await Self.doubts(database).isEmpty)
        }
        try await Self.withLease(.armed) { (database: TestDatabase, lease: Lease) async throws in
            _ = try await database.pool.query(
                Transition.write([Transition(lease: lease, to: .scheduled, delay: .zero, isDoubtful: true)]))
            #expect(try await Self.doubts(database).isEmpty)
        }
    }

    @Test(arguments: [JobState.armed, .looking])
    func `a job whose lease ran out is followed when it may have sent a create`(state: JobState) async throws {
        try await Self.withLease(state, endsIn: .milliseconds(-1)) { (database: TestDatabase, _: Lease) async throws in
            _ = try await database.pool.query(
                Rescue.expiredLeases(limit: 10, landingTime: .seconds(40), since: 0))
            #expect(try await Self.doubts(database) == (state == .armed ? ["acme 1 acme 300"] : []))
        }
    }

    @Test func `a job whose worker is gone is followed`() async throws {
        try await Self.withLease(.armed) { (database: TestDatabase, lease: Lease) async throws in
            _ = try await database.pool.query(
                Rescue.jobs(of: [lease.worker], limit: 10, landingTime: .seconds(40)))
            #expect(try await Self.doubts(database) == ["acme 1 acme 300"])
        }
    }

    // MARK: Test bed

    private static func withLease(
        _ state: JobState, endsIn: Duration = .seconds(30), _ work: (TestDatabase, Lease) async throws -> Void
    ) async throws {
        try await TestDatabase.with { database in
            let lease = Lease(job: JobID(rawValue: UUID()), epoch: 1, worker: WorkerID(rawValue: UUID()), state: state)
            try await database.insert(
                Ledger.user(),
                Ledger.job(
                    lease.job, state: state, epoch: 1, worker: lease.worker, leaseEndsIn: endsIn, tag: "acme"))
            try await work(database, lease)
        }
    }

    /// Tenant, generation, tag, and seconds from the doubt to the first look; of doubts that began now.
    private static func doubts(_ database: TestDatabase) async throws -> [String] {
        try await database.admin.query(
            """
            select concat_ws(' ', tenant_id, generation, tag, round(extract(epoch from due_at - doubted_at)))
            from dialtone.doubts where doubted_at > now() - interval '1 minute'
            """
        ).map { try $0.decode(String.self) }
    }
}
