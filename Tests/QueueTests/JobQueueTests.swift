// SPDX-License-Identifier: Apache-2.0
// The job table is a queue: a claim reads few rows, a lease fences its holder, and a lost lease leads to doubt.

import Foundation
import Model
import Postgres
import Queue
import TestSupport
import Testing

@Suite struct JobQueueTests {
    @Test func `each claim reads the index of its state and nothing else`() async throws {
        try await Self.withJobs(3000) { database, era in
            try await database.admin.script(
                """
                update dialtone.jobs set state = 'scheduled' where place % 3 = 0;
                update dialtone.jobs set state = 'in_doubt', in_doubt = true where place % 10 = 1;
                update dialtone.jobs set state = 'dead' where place % 100 = 3;
                update dialtone.jobs set state = 'armed', worker = gen_random_uuid(), lease_until = now() where place % 10 = 2
                """)
            try await database.admin.script("vacuum analyze dialtone.jobs")
            // This runs as a superuser with the planner's defaults. The plans must be right without any setting.
            let atPlace = JobQueue.candidates(limit: 64, from: .at(100), era: era)
            let fromBeginning = JobQueue.candidates(limit: 64, from: .beginning, era: era)
            let inDoubt = JobQueue.doubtful(limit: 16, era: era)
            for (statement, index) in [
                ("with \(atPlace) select * from candidates", "jobs_queued"),
                ("with \(fromBeginning) select * from candidates", "jobs_queued"),
                ("with \(inDoubt) select * from candidates", "jobs_in_doubt"),
                (Rescue.promote(limit: 10), "jobs_scheduled"),
                (DeadJob.tryAgain(limit: 10), "jobs_dead"),
                (Rescue.expiredLeases(limit: 10, landingTime: .seconds(40), since: 0), "jobs_leased"),
            ] as [(SQL, String)] {
                let plan = try await Self.plan(of: statement, on: database.admin)
                #expect(plan.contains("using \(index)"), "\(plan)")
                // What a rescue has changed is sorted for its doubts, and dead jobs that are due are for their locks.
                let sorts = plan.split(separator: "\n").filter { line in
                    line.contains("Sort Key") && !line.contains("rescued") && !line.contains("held.")
                }
                #expect(!plan.contains("Seq Scan on jobs") && sorts.isEmpty, "\(plan)")
            }
        }
    }

    @Test func `a claim begins at the place it is given`() async throws {
        try await Self.withJobs(20) { database, era in
            func first(from start: QueueStart) async throws -> Int64? {
                let candidates = JobQueue.candidates(limit: 1, from: start, era: era)
                let row = try await database.admin.query(
                    "with \(candidates) select place from candidates join dialtone.jobs using (id)"
                ).first
                let has = try await database.admin.query(JobQueue.hasCandidates(from: start))
                #expect(has.isEmpty == (row == nil))
                return try row?.decode(Int64.self)
            }
            #expect(try await first(from: .beginning) == 1)
            #expect(try await first(from: .at(7)) == 7)
            #expect(try await first(from: .clock(orEarlier: 7)) == 7)
            #expect(try await first(from: .clock(orEarlier: .max)) == nil, "these wait since 1970")
            try await database.admin.script(
                "update dialtone.jobs set place = (extract(epoch from now()) * 1000000)::bigint + 3600000000 where place > 3"
            )
            let ahead = try #require(try await first(from: .clock(orEarlier: .max)), "an hour ahead of the clock")
            #expect(try await first(from: .at(ahead)) == ahead)
            #expect(try await first(from: .at(ahead + 1)) == nil)
        }
    }

    /// The line is an hour ahead of the clock. Three jobs have just arrived, and one stands half-way.
    @Test func `newcomers are claimed before a line that is ahead of the clock`() async throws {
        try await Self.withJobs(20) { database, era in
            try await database.admin.script(
                """
                update dialtone.jobs set place = (extract(epoch from now()) * 1000000)::bigint + case
                    when place <= 3 then place * 1000000 when place = 4 then 1800000000 else 3600000000 + place end
                """)
            let line = try #require(
                try await database.admin.query("select min(place) from dialtone.jobs where user_id = 'user-5'").first
            ).decode(Int64.self)
            func claimed(_ limit: Int, from start: QueueStart) async throws -> [String] {
                let candidates = JobQueue.candidates(limit: limit, from: start, era: era)
                return try await database.admin.query("with \(candidates) select user_id from candidates").map {
                    try $0.decode(String.self)
                }
            }
            #expect(try await claimed(5, from: .at(line)) == (["1", "2", "3", "5", "6"].map { "user-\($0)" }))
            #expect(try await claimed(2, from: .at(line)) == ["user-1", "user-2"])
            #expect(try await claimed(5, from: .clock(orEarlier: line)) == (1...5).map { "user-\($0)" })
            let alone = try await database.admin.query(JobQueue.hasCandidates(from: .at(.max)))
            #expect(alone.count == 1, "newcomers alone are candidates too")
            #expect(try await claimed(20, from: .at(0)).isEmpty == false, "a place the clock has passed")
        }
    }

    /// While an old snapshot is open, these indexes also hold the entries of jobs that ended long ago. A scan must not
    /// read beyond its range.
    @Test func `due jobs are found by an index range that ends at the present`() async throws {
        try await Self.withJobs(300) { database, era in
            let doubtful = JobQueue.doubtful(limit: 16, era: era)
            let statements: [String: SQL] = [
                "jobs_leased": Rescue.expiredLeases(limit: 500, landingTime: .seconds(1), since: 1_000_000),
                "jobs_scheduled": Rescue.promote(limit: 500),
                "jobs_in_doubt": "with \(doubtful) select * from candidates",
            ]
            for (index, statement) in statements {
                let answers = try await database.pool.withConnection {
                    try await $0.pipeline([["set local enable_seqscan = off", "explain \(statement)"]])
                }
                let plan = try #require(answers[0].last).get().map { try $0.decode(String.self) }
                    .joined(separator: "\n")
                let scan = plan.split(separator: "\n").drop { !$0.contains(index) }.prefix(2).joined()
                #expect(scan.contains("Index Cond") && scan.contains("statement_timestamp"), "\(plan)")
            }
        }
    }

    @Test func `two claims at once never share a job and take no more than their limit`() async throws {
        try await Self.withJobs(30) { database, era in
            // Only the locking part runs. A whole claim would also wait for the tenant's tag until the first commits.
            let candidates = JobQueue.candidates(limit: 20, from: .beginning, era: era)
            let claim: SQL = "with \(candidates) select id from candidates"
            let both = try await database.pool.withTransaction { first in
                let one = try await first.query(claim).map { try $0.decode(UUID.self) }
                let other = try await database.pool.query(claim).map { try $0.decode(UUID.self) }
                return [one, other]
            }
            #expect(both.map(\.count) == [20, 10])
            #expect(Set(both.joined()).count == 30)
        }
    }

    @Test func `a transition happens once and needs the job's epoch, worker and state`() async throws {
        try await TestDatabase.with { database in
            let lease = try await Self.insertArmedJob(database)
            let wrong = [
                Lease(job: lease.job, epoch: lease.epoch - 1, worker: lease.worker, state: .armed),
                Lease(job: lease.job, epoch: lease.epoch, worker: WorkerID(rawValue: UUID()), state: .armed),
                Lease(job: lease.job, epoch: lease.epoch, worker: lease.worker, state: .looking),
            ]
            for held in wrong {
                let move = Transition(lease: held, to: .scheduled, delay: .zero)
                #expect(try await database.pool.query(Transition.write([move])).isEmpty)
                #expect(
                    try await database.pool.query(held.renewed(lease: .seconds(1), landingTime: .seconds(1)))
                        .isEmpty
                )
            }
            let right = Transition(lease: lease, to: .scheduled, delay: .zero)
            #expect(try await database.pool.query(Transition.write([right])).count == 1)
            #expect(try await database.pool.query(Transition.write([right])).isEmpty, "a transition happens once")
        }
    }

    @Test func `a job whose lease ran out is in doubt, and its former holder cannot move it`() async throws {
        try await TestDatabase.with { database in
            let lease = try await Self.insertArmedJob(database, leaseEndsIn: .milliseconds(-1))
            let rescue = Rescue.expiredLeases(limit: 10, landingTime: .seconds(40), since: 0)
            #expect(try await database.pool.query(rescue).count == 1)
            #expect(try await database.pool.query(rescue).isEmpty)
            let row = try await database.admin.query(
                "select state, epoch, in_doubt, crashes, quiet_until > now() + interval '30 seconds' from dialtone.jobs"
            ).first
            let found = try #require(try row?.decode(String.self, Int64.self, Bool.self, Int32.self, Bool.self))
            #expect(found == ("in_doubt", lease.epoch + 1, true, 1, true))
            let late = Transition(lease: lease, to: .scheduled, delay: .zero)
            #expect(try await database.pool.query(Transition.write([late])).isEmpty)
        }
    }

    @Test func `a scheduled job that was ever in doubt is looked up before it may create`() async throws {
        try await Self.withJobs(2) { database, _ in
            try await database.admin.script(
                "update dialtone.jobs set state = 'scheduled', in_doubt = (place = 1), run_at = now()")
            _ = try await database.pool.query(Rescue.promote(limit: 10))
            let states = try await database.admin.query("select state, in_doubt from dialtone.jobs order by in_doubt")
                .map { row in "\(try row.decode(String.self, Bool.self))" }
            #expect(states == ["(\"queued\", false)", "(\"in_doubt\", true)"])
        }
    }

    // MARK: Test bed

    /// Lends a database with queued jobs at the places 1, 2, … and the ledger's era.
    private static func withJobs(_ count: Int, _ work: (TestDatabase, Int64) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            try await database.insert(Ledger.users(count), Ledger.jobs(count), Ledger.knownServer)
            let row = try await database.admin.query("select era from dialtone.incarnation").first
            try await work(database, try #require(row).decode(Int64.self))
        }
    }

    /// Inserts a job as its first claim has left it.
    private static func insertArmedJob(
        _ database: TestDatabase, leaseEndsIn: Duration = .seconds(30)
    ) async throws -> Lease {
        let lease = Lease(
            job: JobID(rawValue: UUID()), epoch: 1, worker: WorkerID(rawValue: UUID()), state: .armed)
        try await database.insert(
            Ledger.user(),
            Ledger.job(
                lease.job, state: lease.state, epoch: lease.epoch, worker: lease.worker, leaseEndsIn: leaseEndsIn))
        return lease
    }

    private static func plan(of statement: SQL, on connection: PostgresConnection) async throws -> String {
        try await connection.query("explain \(statement)").map { try $0.decode(String.self) }.joined(separator: "\n")
    }
}
