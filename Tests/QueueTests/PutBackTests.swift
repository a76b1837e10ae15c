// SPDX-License-Identifier: Apache-2.0
// Only what a worker holds in the table and not in hand goes back, and it goes back as it came.

import Foundation
import Model
import Postgres
import Queue
import TestSupport
import Testing

@Suite struct PutBackTests {
    @Test func `jobs of a lost claim go back as they came, and those in hand stay`() async throws {
        try await Self.withWorker { database, worker, era in
            let held = try await Self.job(of: "user-1", in: database)
            try await database.admin.script(
                """
                update dialtone.jobs set quiet_until = 'epoch' where user_id = 'user-2';
                update dialtone.jobs set worker = gen_random_uuid() where user_id = 'user-3';
                update dialtone.jobs set lease_until = now() - interval '1 second' where user_id = 'user-4';
                update dialtone.jobs set state = 'looking' where user_id = 'user-5'
                """)
            let back = PutBack(worker: worker, state: .armed, held: [held], era: era)
            #expect(try await database.pool.query(back.statement).count == 1)
            #expect(try await database.pool.query(back.statement).isEmpty, "what is repeated changes nothing")
            let rows = try await database.admin.query(
                """
                select concat_ws(' ', user_id, state, epoch, crashes, in_doubt, quiet_until = 'epoch', worker is null)
                from dialtone.jobs where state = 'queued'
                """
            ).map { try $0.decode(String.self) }
            #expect(rows == ["user-2 queued 8 0 f t t"])
            let looks = PutBack(worker: worker, state: .looking, held: [], era: era)
            #expect(try await database.pool.query(looks.statement).count == 1)
            let looking = try await database.admin.query(
                "select state, in_doubt from dialtone.jobs where user_id = 'user-5'"
            ).first
            #expect(try #require(looking).decode(String.self, Bool.self) == ("in_doubt", false))
        }
    }

    @Test func `a job of whose name a credential was seen looks first`() async throws {
        try await Self.withWorker { database, worker, era in
            try await database.admin.script(
                "update dialtone.jobs set must_look = user_id = 'user-1', run_at = now() + interval '40 minutes'")
            let back = PutBack(worker: worker, state: .armed, held: [], era: era)
            #expect(try await database.pool.query(back.statement).count == 5)
            let looking = try await database.admin.query(
                "select user_id, in_doubt from dialtone.jobs where state = 'in_doubt'")
            #expect(looking.count == 1)
            #expect(try #require(looking.first).decode(String.self, Bool.self) == ("user-1", false))
            // A node whose clock is ahead has enqueued it.
            let due = try await database.admin.query("select 1 from dialtone.jobs where run_at <= clock_timestamp()")
            #expect(due.count == 5)
        }
    }

    /// A server that has lost commits may show a claim whose create was sent since.
    @Test func `nothing goes back on another server than the worker knows`() async throws {
        try await Self.withWorker { database, worker, era in
            let back = PutBack(worker: worker, state: .armed, held: [], era: era - 1)
            let gone = try await database.pool.query(back.statement)
            #expect(gone.isEmpty)
        }
    }

    /// Lends five armed jobs of a worker, in epoch 7.
    private static func withWorker(_ work: (TestDatabase, WorkerID, Int64) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            let worker = WorkerID(rawValue: UUID())
            try await database.insert(
                Ledger.tenant(), Ledger.tag(), Ledger.users(5), Ledger.knownServer,
                Ledger.jobs(5, state: .armed, epoch: 7, worker: worker))
            let row = try await database.admin.query("select era from dialtone.incarnation").first
            try await work(database, worker, try #require(row).decode(Int64.self))
        }
    }

    private static func job(of user: String, in database: TestDatabase) async throws -> JobID {
        let row = try await database.admin.query("select id from dialtone.jobs where user_id = \(user)").first
        return JobID(rawValue: try #require(row).decode(UUID.self))
    }
}
