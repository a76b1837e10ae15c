// SPDX-License-Identifier: Apache-2.0
// A statement that waits for a lock has read the rest before. What it decides holds all the same.

import Foundation
import Model
import Postgres
import Queue
import TestSupport
import Testing

@testable import Onboarding

@Suite struct OldSightTests {
    /// A walk over credentials to delete queues a job without a lock on the user.
    @Test func `a rotation that waits for a walk's job keeps the overlap`() async throws {
        try await TestDatabase.with { database in
            try await database.insert(
                Ledger.tenant(), Ledger.user(generation: 2, status: .ready),
                Ledger.credential(ProviderID(rawValue: "old"), status: .closing),
                Ledger.credential(ProviderID(rawValue: "p"), generation: 2))
            try await database.admin.script(
                """
                update dialtone.credentials set expires_at = now() + interval '1 hour', created_at = now() - interval '1 year'
                where provider_id = 'p'
                """)
            let rotation = ExpiringCredentials.rotate(overlap: .seconds(300), limit: 10)
            try await Self.first([ForgottenDeletes.enqueue(after: .init())], then: [rotation], database)
            let job = try await database.admin.query(
                "select generation, overlap = interval '5 minutes' from dialtone.jobs"
            ).first
            #expect(try #require(job).decode(Generation.self, Bool.self) == (1 as Generation, true))
            #expect(try await database.count("dialtone.users where generation = 3") == 1)
        }
    }

    @Test func `what a job would create is judged by what was committed while a statement waited`() async throws {
        try await TestDatabase.with { database in
            try await database.insert(Ledger.tenant(), Ledger.user())
            let holder = try await PostgresConnection.connect(PostgresConfiguration(url: database.url))
            try await holder.script(
                "begin; select pg_advisory_xact_lock(7); update dialtone.users set wanted = 'gone'")
            async let judgement = database.pool.query(
                """
                with waited as materialized (select pg_advisory_xact_lock(7))
                select dialtone.would_create(\(testTenant), \(testUserKey.user), 1) from waited
                """)
            try await database.untilSomebodyWaitsForALock()
            try await holder.script("commit")
            let rows = try await judgement
            let wouldCreate = try #require(rows.first).decode(Bool.self)
            await holder.close()
            #expect(!wouldCreate)
        }
    }

    @Test(arguments: [true, false])
    func `nobody is erased while a walk is about to queue their job`(isForDeletes: Bool) async throws {
        try await TestDatabase.with { database in
            let users = try ["user-1", "user-2"].map { UserKey(tenant: testTenant, user: try UserID($0)) }
            try await database.insert(Ledger.tenant())
            for user in users {
                try await database.insert(
                    Ledger.user(user, wanted: .gone, status: .revoking),
                    Ledger.credential(ProviderID(rawValue: "p-\(user.user)"), of: user, status: .closing))
            }
            let walk =
                isForDeletes ? ForgottenDeletes.enqueue(after: .init()) : ForgottenUsers.enqueue(after: .init())
            // The walk waits for the first user's job and holds the second user.
            try await Self.first([Ledger.job(of: users[0])], then: [walk], database) {
                let free = try await database.pool.query(
                    "select user_id from dialtone.users for update skip locked")
                #expect(free.isEmpty)
            }
            #expect(try await database.count("dialtone.jobs") == 2)
        }
    }

    @Test func `a slot is given back by the job's holder alone`() async throws {
        try await ArmedJob.with(1) { database, jobs in
            try await database.admin.script("update dialtone.tenant_tags set held = 5")
            let ending = Ending(
                lease: jobs[0].lease, user: jobs[0].user, generation: 1, how: .absent, trace: Trace())
            try await Self.first(
                ["select tag from dialtone.tenant_tags for no key update"], then: ending.statements, database
            ) {
                // A rescue takes only what nobody holds.
                let free = try await database.pool.query("select id from dialtone.jobs for no key update skip locked")
                #expect(free.isEmpty)
            }
            #expect(try await database.count("dialtone.tenant_tags where held = 4") == 1)
        }
    }

    /// Runs `earlier` and holds its locks until `later` waits for one of them. Then calls `meanwhile`, commits `earlier`,
    /// and returns when `later` has committed.
    private static func first(
        _ earlier: [SQL], then later: [SQL], _ database: TestDatabase, meanwhile: () async throws -> Void = {}
    ) async throws {
        let holder = try await PostgresConnection.connect(PostgresConfiguration(url: database.url))
        try await holder.script("begin")
        for statement in earlier { _ = try await holder.query(statement) }
        async let waiting: Void = database.commit(later)
        try await database.untilSomebodyWaitsForALock()
        try await meanwhile()
        try await holder.script("commit")
        try await waiting
        await holder.close()
    }
}
