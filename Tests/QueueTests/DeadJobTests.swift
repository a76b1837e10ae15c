// SPDX-License-Identifier: Apache-2.0
// A dead job comes back when its time has come or its user asks for something, and it always looks first.

import Model
import Postgres
import Queue
import TestSupport
import Testing

@Suite struct DeadJobTests {
    @Test func `a dead job whose time has come looks, and its user has not failed any more`() async throws {
        try await Self.withDeadJob(dueIn: .seconds(-1), mayExist: true) { (database: TestDatabase) async throws in
            #expect(try await database.pool.query(DeadJob.tryAgain(limit: 10)).count == 1)
            #expect(try await Self.job(database) == "in_doubt true 0 0 1 true")
            #expect(try await Self.status(database) == .pending)
            let log = try await database.admin.query(
                "select 1 from dialtone.job_log where from_state = 'dead' and to_state = 'in_doubt'")
            #expect(log.count == 1)
            #expect(try await database.pool.query(DeadJob.tryAgain(limit: 10)).isEmpty)
        }
    }

    @Test func `a dead job is left alone before its time`() async throws {
        try await Self.withDeadJob(dueIn: .seconds(60)) { (database: TestDatabase) async throws in
            #expect(try await database.pool.query(DeadJob.tryAgain(limit: 10)).isEmpty)
            #expect(try await Self.job(database) == "dead false 20 3 1 false")
            #expect(try await Self.status(database) == .failed)
        }
    }

    /// Whoever holds the lock changes the user, and makes the dead job due by itself.
    @Test func `a dead job whose user is locked is not waited for`() async throws {
        try await Self.withDeadJob(dueIn: .seconds(-1)) { (database: TestDatabase) async throws in
            try await database.pool.withTransaction { holder in
                _ = try await holder.query("select 1 from dialtone.users for no key update")
                #expect(try await database.admin.query(DeadJob.tryAgain(limit: 10)).isEmpty)
            }
            #expect(try await database.admin.query(DeadJob.tryAgain(limit: 10)).count == 1)
        }
    }

    @Test(arguments: [true, false])
    func `whatever is asked of its user makes a dead job look now, and its doubt stays`(mayExist: Bool) async throws {
        try await Self.withDeadJob(dueIn: .seconds(3600), mayExist: mayExist) { (database: TestDatabase) async throws in
            _ = try await database.admin.query(Self.enqueue)
            #expect(try await Self.job(database) == "in_doubt \(mayExist) 0 0 1 true")
        }
    }

    /// A visit decides while the job is at another generation. Until its word is written the job may have come to the
    /// wanted one.
    @Test(arguments: [1, 2]) func `a job is told to look at the wanted generation, wherever it is`(
        generation: Int
    ) async throws {
        try await TestDatabase.with { database in
            try await database.insert(Ledger.user(generation: 2), Ledger.job(generation: Generation(generation)))
            _ = try await database.admin.query(JobQueue.mustLook(testUserKey))
            #expect(try await database.admin.query("select 1 from dialtone.jobs where must_look").count == 1)
        }
    }

    // MARK: Test bed

    private static func withDeadJob(
        dueIn: Duration, mayExist: Bool = false, _ work: (TestDatabase) async throws -> Void
    ) async throws {
        try await TestDatabase.with { database in
            try await database.insert(
                Ledger.user(status: .failed), Ledger.deadJob(mayExist: mayExist, dueIn: dueIn))
            try await work(database)
        }
    }

    private static let enqueue: SQL = """
        with wanting as (
            select tenant_id, user_id, generation, 1 as place, clock_timestamp() as enqueued_at from dialtone.users)
        \(JobQueue.enqueue(from: "wanting"))
        """

    /// State, doubt, attempts, crashes, deaths, and whether it is due.
    private static func job(_ database: TestDatabase) async throws -> String? {
        try await database.admin.query(
            """
            select state || ' ' || in_doubt || ' ' || attempts || ' ' || crashes || ' ' || deaths || ' '
                   || (run_at <= clock_timestamp())
            from dialtone.jobs
            """
        ).first?.decode(String.self)
    }

    private static func status(_ database: TestDatabase) async throws -> UserStatus? {
        try await database.admin.query("select status from dialtone.users").first.map { row in
            var columns = row.columns
            return try columns.next()
        }
    }
}
