// SPDX-License-Identifier: Apache-2.0
// Results reach the ledger safely: many at once, crossed, repeated, beside a bad row, or from a lost lease.

import Foundation
import Logging
import Model
import Postgres
import Queue
import TestSupport
import Testing

@testable import Onboarding

let testTenant: TenantID = {
    do { return try TenantID("acme") } catch { preconditionFailure("\(error)") }
}()
let testUser: UserID = {
    do { return try UserID("user-1") } catch { preconditionFailure("\(error)") }
}()

@Suite struct FinishTests {
    @Test func `a result that the database refuses does not stop the others in its batch`() async throws {
        try await Self.withArmedJobs(256) { database, jobs in
            var batch = try jobs.map { try Self.evidence($0) }
            batch[100].usernameIndex = [1]
            try await Self.finish(batch, database)
            #expect(try await Self.count("dialtone.credentials", database) == 255)
            let left = try await database.admin.query("select user_id, state from dialtone.jobs")
                .map { "\(try $0.decode(String.self, String.self))" }
            #expect(left == ["(\"\(jobs[100].user.user)\", \"armed\")"], "its lease will run out, and a look finds it")
        }
    }

    @Test func `a finish that is repeated changes nothing`() async throws {
        try await Self.withArmedJobs(3) { database, jobs in
            let batch = try jobs.map { try Self.evidence($0) }
            try await Self.finish(batch, database)
            try await Self.finish(batch, database)
            #expect(try await Self.count("dialtone.credentials where status = 'active'", database) == 3)
            #expect(try await Self.count("dialtone.surplus", database) == 0)
            #expect(try await Self.count("dialtone.jobs", database) == 0)
            #expect(try await Self.count("dialtone.users where status = 'ready'", database) == 3)
        }
    }

    /// A credential from the provider is evidence, whoever holds the job now. Only the holder may move the job.
    @Test func `evidence from a lost lease is recorded but moves no job`() async throws {
        try await Self.withArmedJobs(1) { database, jobs in
            var late = try Self.evidence(jobs[0])
            late.lease = Lease(
                job: late.lease.job, epoch: late.lease.epoch - 1, worker: WorkerID(rawValue: UUID()), state: .armed)
            try await Self.finish([late], database)
            #expect(try await Self.count("dialtone.credentials where status = 'active'", database) == 1)
            #expect(try await Self.count("dialtone.jobs where state = 'armed'", database) == 1)
            // The holder's own create succeeds later. The first writer owns the generation.
            try await Self.finish([try Self.evidence(jobs[0], id: "second")], database)
            #expect(try await Self.count("dialtone.credentials", database) == 1)
            #expect(try await Self.count("dialtone.surplus where provider_id = 'second'", database) == 1)
        }
    }

    @Test func `evidence of a closed generation becomes surplus`() async throws {
        try await Self.withArmedJobs(1) { database, jobs in
            try await database.admin.script("update dialtone.users set wanted = 'gone', status = 'revoking'")
            var late = try Self.evidence(jobs[0])
            late.lease = Lease(
                job: late.lease.job, epoch: late.lease.epoch - 1, worker: late.lease.worker, state: .armed)
            try await Self.finish([late], database)
            #expect(try await Self.count("dialtone.credentials", database) == 0)
            #expect(try await Self.count("dialtone.surplus where deleted_at is null", database) == 1)
        }
    }

    /// The job's credential becomes surplus, and the job goes on to the wanted generation. It must look first there,
    /// because `dead_jobs` has a row of that generation.
    @Test func `a job that moves to the next generation keeps neither its doubt nor its tries`() async throws {
        try await Self.withArmedJobs(1) { database, jobs in
            var other = try Self.evidence(jobs[0], id: "old")
            other.lease = Lease(job: other.lease.job, epoch: 0, worker: WorkerID(rawValue: UUID()), state: .armed)
            try await Self.finish([other], database)
            try await database.admin.script(
                """
                update dialtone.users set generation = 2, status = 'pending';
                update dialtone.credentials set status = 'deleted', deleted_at = now();
                update dialtone.jobs set attempts = 2, crashes = 1, failures = 1, empties = 1;
                insert into dialtone.dead_jobs (id, tenant_id, user_id, generation, reason, maybe_created, epoch, attempts)
                values (gen_random_uuid(), 'acme', 'user-1', 2, 'seen_by_sweep', false, 0, 0)
                """)
            try await Self.finish([try Self.evidence(jobs[0], id: "second")], database)
            #expect(try await Self.count("dialtone.surplus where provider_id = 'second'", database) == 1)
            let next = "generation = 2 and state = 'in_doubt' and not in_doubt and quiet_until is null"
            let tries = "attempts = 0 and crashes = 0 and failures = 0 and empties = 0"
            #expect(try await Self.count("dialtone.jobs where \(next) and \(tries)", database) == 1)
        }
    }

    /// The credential was recorded after the job's look, so its user has not failed.
    @Test func `a job is not buried when its credential was recorded meanwhile`() async throws {
        try await Self.withArmedJobs(1) { database, jobs in
            var other = try Self.evidence(jobs[0])
            other.lease = Lease(job: other.lease.job, epoch: 0, worker: WorkerID(rawValue: UUID()), state: .armed)
            try await Self.finish([other], database)
            let burial = Burial(
                lease: jobs[0].lease, user: jobs[0].user, reason: "too_many_attempts", name: "n", mayExist: true,
                trace: Trace())
            try await Self.finish([.buried(burial)], database)
            #expect(try await Self.count("dialtone.dead_jobs", database) == 0)
            #expect(try await Self.count("dialtone.users where status = 'ready'", database) == 1)
            #expect(try await Self.count("dialtone.jobs where state = 'in_doubt'", database) == 1)
        }
    }

    /// Generation 1 is deleted at the provider, and generation 2 is wanted. The ledger records the delete as well.
    @Test func `a job whose generation is deleted goes on to the wanted generation`() async throws {
        try await Self.withArmedJobs(1) { database, jobs in
            try await Self.finish([try Self.evidence(jobs[0], id: "old")], database)
            try await database.admin.script(
                """
                update dialtone.users set generation = 2, status = 'pending';
                update dialtone.credentials set status = 'closing'
                """)
            _ = try await database.admin.query(
                """
                insert into dialtone.jobs (id, tenant_id, user_id, generation, place, run_at, enqueued_at, state, epoch, worker,
                                           lease_until, tag)
                values (\(jobs[0].lease.job), 'acme', 'user-1', 1, 1, now(), now(), 'armed', 1, \(jobs[0].lease.worker),
                        now() + interval '1 hour', 'acme')
                """)
            let ending = Ending(
                lease: jobs[0].lease, user: jobs[0].user, generation: 1, how: .deleted(ProviderID(rawValue: "old")),
                trace: Trace())
            try await Self.finish([.ended(ending)], database)
            #expect(try await Self.count("dialtone.credentials where status = 'deleted'", database) == 1)
            #expect(try await Self.count("dialtone.jobs where state = 'queued' and generation = 2", database) == 1)
        }
    }

    /// Two nodes write results for the same users in crossed order. Neither waits for ever.
    @Test func `crossed batches of two nodes leave one credential per user and drop no evidence`() async throws {
        try await Self.withArmedJobs(100) { database, jobs in
            let here = try jobs.map { try Self.evidence($0, id: "here-\($0.user.user)") }
            let there = try jobs.map { job in
                var evidence = try Self.evidence(job, id: "there-\(job.user.user)")
                evidence.lease = Lease(job: job.lease.job, epoch: 0, worker: WorkerID(rawValue: UUID()), state: .armed)
                return evidence
            }
            let moves = jobs.reversed().map { Transition(lease: $0.lease, to: .inDoubt, delay: .zero) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await Self.finish(here, database) }
                group.addTask { try await Self.finish(there.reversed(), database) }
                group.addTask { _ = try await database.pool.query(JobQueue.move(moves)) }
                try await group.waitForAll()
            }
            let perUser = try await database.admin.query(
                "select count(*), count(distinct user_id) from dialtone.credentials where status = 'active'"
            ).first?.decode(Int64.self, Int64.self)
            #expect(perUser ?? (0, 0) == (100, 100))
            let kept = try await database.admin.query(
                "select count(*) from dialtone.credentials full join dialtone.surplus using (provider_id)"
            ).first?.decode(Int64.self)
            #expect(kept == 200, "no evidence is dropped")
        }
    }

    @Test func `a worker that has lost its server comes back as another worker`() async throws {
        try await TestDatabase.with { database in
            let identity = WorkerIdentity(
                lease: .seconds(30), landingTime: .seconds(40), tagCapacity: 980, presence: nil)
            #expect(identity.terms == nil, "nothing is claimed from a server nobody knows")
            try await identity.meet(1, on: database.admin)
            let first = try #require(identity.terms)
            #expect(identity.knows(1) && !identity.knows(2))
            identity.forget()
            #expect(identity.terms == nil)
            try await identity.meet(1, on: database.admin)
            #expect(try #require(identity.terms).worker != first.worker)
        }
    }

    /// A delete that keeps failing holds up no other delete of its user. Two that fail in turn wait longer each time.
    @Test func `a failed delete makes way for another delete of the same user`() async throws {
        try await Self.withArmedJobs(1) { database, jobs in
            try await database.admin.script(
                """
                update dialtone.users set wanted = 'gone', generation = 2, status = 'revoking';
                insert into dialtone.credentials (tenant_id, user_id, generation, provider_id, name, tag, status,
                                                  sealed_username, sealed_password, username_index)
                select 'acme', 'user-1', n, 'p-' || n, 'n', 'acme', 'closing', '', '', decode(repeat('00', 16), 'hex')
                from generate_series(1, 2) n;
                update dialtone.jobs set failures = 3
                """)
            let ending = Ending(
                lease: jobs[0].lease, user: jobs[0].user, generation: 1,
                how: .passedOver(after: .seconds(600), isMade: true),
                trace: Trace(httpStatus: 422))
            try await Self.finish([.ended(ending)], database)
            let job = try await database.admin.query(
                "select generation, state, failures, run_at > now() + interval '5 minutes' from dialtone.jobs"
            ).first?.decode(Int32.self, String.self, Int32.self, Bool.self)
            #expect(job ?? (0, "", 0, false) == (2, "scheduled", 4, true))
            let log = try await database.admin.query("select to_state from dialtone.job_log").first?.decode(String.self)
            #expect(log == "scheduled")
        }
    }

    /// A create that is refused takes its turn as well. No goal waits for ever behind another.
    @Test func `goals that fail take turns, and a credential that still serves comes last`() async throws {
        try await Self.withArmedJobs(1) { database, jobs in
            try await database.admin.script(
                """
                update dialtone.users set generation = 4;
                insert into dialtone.credentials (tenant_id, user_id, generation, provider_id, name, tag, status,
                                                  sealed_username, sealed_password, username_index, close_after)
                select 'acme', 'user-1', n, 'p-' || n, 'n', 'acme', 'closing', '', '', decode(repeat('00', 16), 'hex'),
                       case when n = 3 then now() + interval '1 hour' end
                from generate_series(1, 3) n;
                update dialtone.tenant_tags set held = 4
                """)
            var turns: [Int32] = []
            for generation in [1, 2, 4] as [Generation] {
                let ending = Ending(
                    lease: jobs[0].lease, user: jobs[0].user, generation: generation,
                    how: .passedOver(after: .seconds(60), isMade: generation < 4), trace: Trace())
                try await Self.finish([.ended(ending)], database)
                turns += try await database.admin.query("select generation from dialtone.jobs").map {
                    try $0.decode(Int32.self)
                }
                _ = try await database.admin.query(
                    """
                    update dialtone.jobs set state = 'armed', epoch = 1, worker = \(jobs[0].lease.worker), tag = 'acme',
                                             lease_until = now() + interval '1 hour'
                    """)
            }
            #expect(turns == [2, 4, 1], "what may still serve comes last of all")
            let held = try await database.admin.query("select held from dialtone.tenant_tags").first?.decode(Int32.self)
            #expect(held == 3, "the slot of the one that was not made")
        }
    }

    /// Two deletes that fail in turn wait, but a revoke that arrived meanwhile does not.
    @Test func `a change that arrives meanwhile does not wait for the pause of a failed delete`() async throws {
        try await Self.withArmedJobs(1) { database, jobs in
            try await database.admin.script(
                """
                update dialtone.users set wanted = 'gone', generation = 2, status = 'revoking';
                insert into dialtone.credentials (tenant_id, user_id, generation, provider_id, name, tag, status,
                                                  sealed_username, sealed_password, username_index)
                select 'acme', 'user-1', n, 'p-' || n, 'n', 'acme', 'closing', '', '', decode(repeat('00', 16), 'hex')
                from generate_series(1, 2) n;
                update dialtone.jobs set is_awaited = true
                """)
            let ending = Ending(
                lease: jobs[0].lease, user: jobs[0].user, generation: 1,
                how: .passedOver(after: .seconds(600), isMade: true), trace: Trace())
            try await Self.finish([.ended(ending)], database)
            let isDue = try await database.admin.query(
                "select state = 'queued' and run_at <= clock_timestamp() from dialtone.jobs"
            ).first?.decode(Bool.self)
            #expect(isDue == true)
        }
    }

    /// A revoke may arrive while a worker holds the job. It must not wait for the pause that this worker chooses.
    @Test func `a change that arrives while its job is claimed does not wait for the job's pause`() async throws {
        try await Self.withArmedJobs(2) { database, jobs in
            _ = try await database.admin.query(
                """
                with wanting as (
                    select tenant_id, user_id, generation, place, clock_timestamp() as enqueued_at
                    from dialtone.jobs where user_id = \(jobs[0].user.user))
                \(JobQueue.enqueue(from: "wanting"))
                """)
            let moves = jobs.map { Transition(lease: $0.lease, to: .scheduled, delay: .seconds(600)) }
            _ = try await database.admin.query(JobQueue.move(moves))
            let due = try await database.admin.query(
                "select user_id from dialtone.jobs where run_at <= clock_timestamp() and not is_awaited")
            let names = try due.map { try $0.decode(String.self) }
            #expect(names == ["\(jobs[0].user.user)"])
        }
    }

    /// After `installation confirm --clone` a credential under the former name belongs to the former installation.
    @Test func `evidence from another installation is neither recorded nor surplus`() async throws {
        try await Self.withArmedJobs(1) { database, jobs in
            var theirs = try Self.evidence(jobs[0])
            theirs.installation = UUID()
            try await Self.finish([theirs], database)
            #expect(try await Self.count("dialtone.credentials", database) == 0)
            #expect(try await Self.count("dialtone.surplus", database) == 0)
        }
    }

    // MARK: Test bed

    private struct Armed {
        let user: UserKey
        let lease: Lease
    }

    private static func withArmedJobs(_ count: Int, _ work: (TestDatabase, [Armed]) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            let worker = WorkerID(rawValue: UUID())
            try await database.admin.script(
                """
                insert into dialtone.tenants (tenant_id, connection_id) values ('acme', '1');
                insert into dialtone.tenant_tags (tenant_id, shard, tag) values ('acme', 1, 'acme');
                insert into dialtone.users (tenant_id, user_id, wanted, status, received_at)
                select 'acme', 'user-' || n, 'live', 'pending', now() from generate_series(1, \(count)) n;
                insert into dialtone.jobs (id, tenant_id, user_id, generation, place, run_at, enqueued_at, state, epoch, worker,
                                           lease_until, tag)
                select gen_random_uuid(), 'acme', 'user-' || n, 1, n, now(), now(), 'armed', 1, '\(worker.rawValue)',
                       now() + interval '1 hour', 'acme' from generate_series(1, \(count)) n
                """)
            let jobs = try await database.admin.query("select id, user_id from dialtone.jobs").map { row in
                var columns = row.columns
                let id: JobID = try columns.next()
                return Armed(
                    user: UserKey(tenant: testTenant, user: try columns.next()),
                    lease: Lease(job: id, epoch: 1, worker: worker, state: .armed))
            }
            _ = try await database.admin.query("update dialtone.installation set id = \(Self.installation)")
            try await work(database, jobs)
        }
    }

    private static let installation = UUID()

    private static func evidence(_ job: Armed, id: String? = nil) throws -> Evidence {
        Evidence(
            lease: job.lease, installation: Self.installation, user: job.user, generation: 1,
            providerID: ProviderID(rawValue: id ?? "p-\(job.user.user)"), name: "n-\(job.user.user)", tag: "acme",
            sealedUsername: [1], sealedPassword: [1], usernameIndex: Array(repeating: 0, count: 16), expiresAt: nil,
            trace: Trace(httpStatus: 201))
    }

    private static func finish(_ evidence: [Evidence], _ database: TestDatabase) async throws {
        try await Self.finish(evidence.map { .owned($0) }, database)
    }

    /// Tries again after a deadlock, as the worker does.
    private static func finish(_ results: [JobResult], _ database: TestDatabase) async throws {
        let batch = FinishBatch(results)
        let logger = Logger(label: "test") { StreamLogHandler.standardError(label: $0) }
        for attempt in 1... {
            do {
                return try await database.pool.withConnection { connection in
                    try await batch.receive(try await connection.pipeline(batch.groups), on: connection, logger: logger)
                }
            } catch let error as PostgresError where error.isRetryable && attempt < 5 {
                continue
            }
        }
    }

    private static func count(_ table: String, _ database: TestDatabase) async throws -> Int64? {
        try await database.admin.query(SQL(stringLiteral: "select count(*) from \(table)")).first?.decode(Int64.self)
    }
}
