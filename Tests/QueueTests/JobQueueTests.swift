// SPDX-License-Identifier: Apache-2.0
// The job table is a queue: a claim reads few rows, a lease fences its holder, and a lost lease leads to doubt.

import Foundation
import Lifecycle
import Model
import Postgres
import Queue
import TestSupport
import Testing

@testable import Onboarding

@Suite struct JobQueueTests {
    @Test func `each claim reads the index of its state and nothing else`() async throws {
        try await Self.withJobs(3000) { database, terms in
            try await database.admin.script(
                """
                update dialtone.jobs set state = 'scheduled' where place % 3 = 0;
                update dialtone.jobs set state = 'in_doubt', in_doubt = true where place % 10 = 1;
                update dialtone.jobs set state = 'armed', worker = gen_random_uuid(), lease_until = now() where place % 10 = 2
                """)
            try await database.admin.script("vacuum analyze dialtone.jobs")
            // This runs as a superuser with the planner's defaults. The plans must be right without any setting.
            for (statement, index) in [
                (
                    "with \(JobQueue.candidates(limit: 64, from: .at(100), started: terms.started)) select * from candidates",
                    "jobs_queued"
                ),
                (
                    "with \(JobQueue.candidates(limit: 64, from: .beginning, started: terms.started)) select * from candidates",
                    "jobs_queued"
                ),
                (
                    "with \(JobQueue.doubtful(limit: 16, started: terms.started)) select * from candidates",
                    "jobs_in_doubt"
                ),
                (JobQueue.promote(limit: 10), "jobs_scheduled"),
                (JobQueue.rescue(limit: 10, landingTime: .seconds(40), since: 0), "jobs_leased"),
            ] as [(SQL, String)] {
                let plan = try await Self.plan(of: statement, on: database.admin)
                #expect(plan.contains("using \(index)"), "\(plan)")
                #expect(!plan.contains("Seq Scan on jobs") && !plan.contains("Sort"), "\(plan)")
            }
        }
    }

    @Test func `a claim begins at the place it is given`() async throws {
        try await Self.withJobs(20) { database, terms in
            func first(from start: QueueStart) async throws -> Int64? {
                let candidates = JobQueue.candidates(limit: 1, from: start, started: terms.started)
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
        try await Self.withJobs(20) { database, terms in
            try await database.admin.script(
                """
                update dialtone.jobs set place = (extract(epoch from now()) * 1000000)::bigint + case
                    when place <= 3 then place * 1000000 when place = 4 then 1800000000 else 3600000000 + place end
                """)
            let line = try #require(
                try await database.admin.query("select min(place) from dialtone.jobs where user_id = 'user-5'").first
            ).decode(Int64.self)
            func claimed(_ limit: Int, from start: QueueStart) async throws -> [String] {
                let candidates = JobQueue.candidates(limit: limit, from: start, started: terms.started)
                return try await database.admin.query("with \(candidates) select user_id from candidates").map {
                    try $0.decode(String.self)
                }
            }
            #expect(try await claimed(5, from: .at(line)) == (["1", "2", "3", "5", "6"].map { "user-\($0)" }))
            #expect(try await claimed(2, from: .at(line)) == ["user-1", "user-2"])
            #expect(try await claimed(5, from: .clock(orEarlier: line)) == (1...5).map { "user-\($0)" })
            #expect(try await claimed(20, from: .at(0)).isEmpty == false, "a place the clock has passed")
        }
    }

    @Test func `the claim and finish statements find every row by key`() async throws {
        try await Self.withJobs(300) { database, terms in
            let finish = Evidence.record([try Self.evidence(of: "user-1")])
            for statement in [ClaimedJob.queued(limit: 64, from: .beginning, terms)] + finish {
                let plan = try await database.pool.withConnection { try await Self.plan(of: statement, on: $0) }
                // Tables that have one row, or are nearly always empty, may be read whole.
                let small = ["incarnation", "installation", "strays", "workers"].reduce(plan) {
                    $0.replacing("Seq Scan on \($1)", with: "")
                }
                #expect(!small.contains("Seq Scan on") && !plan.contains("Hash Join"), "\(plan)")
            }
        }
    }

    /// While an old snapshot is open, these indexes also hold the entries of jobs that ended long ago. A scan must not
    /// read beyond its range.
    @Test func `due jobs are found by an index range that ends at the present`() async throws {
        try await Self.withJobs(300) { database, terms in
            let statements = [
                "jobs_leased": JobQueue.rescue(limit: 500, landingTime: .seconds(1), since: 1_000_000),
                "jobs_scheduled": JobQueue.promote(limit: 500), "jobs_in_doubt": ClaimedJob.doubtful(limit: 16, terms),
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
            let claim = try await database.pool.withConnection {
                try await Self.plan(of: ClaimedJob.queued(limit: 64, from: .beginning, terms), on: $0)
            }
            #expect(claim.contains("Index Scan Backward using tenant_tags_opened"), "\(claim)")
        }
    }

    @Test func `two claims at once never share a job and take no more than their limit`() async throws {
        try await Self.withJobs(30) { database, terms in
            // Only the locking part runs. A whole claim would also wait for the tenant's tag until the first commits.
            let candidates = JobQueue.candidates(limit: 20, from: .beginning, started: terms.started)
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
        try await Self.withJobs(1) { database, terms in
            let lease = try #require(
                try await database.pool.withConnection { try await Self.claim(1, terms, on: $0) }.first)
            let wrong = [
                Lease(job: lease.job, epoch: lease.epoch - 1, worker: lease.worker, state: .armed),
                Lease(job: lease.job, epoch: lease.epoch, worker: WorkerID(rawValue: UUID()), state: .armed),
                Lease(job: lease.job, epoch: lease.epoch, worker: lease.worker, state: .looking),
            ]
            for held in wrong {
                let move = Transition(lease: held, to: .scheduled, delay: .zero)
                #expect(try await database.pool.query(JobQueue.move([move])).isEmpty)
                #expect(
                    try await database.pool.query(JobQueue.rearm(held, lease: .seconds(1), landingTime: .seconds(1)))
                        .isEmpty
                )
            }
            let right = Transition(lease: lease, to: .scheduled, delay: .zero)
            #expect(try await database.pool.query(JobQueue.move([right])).count == 1)
            #expect(try await database.pool.query(JobQueue.move([right])).isEmpty, "a transition happens once")
        }
    }

    @Test func `a job whose lease ran out is in doubt, and its former holder cannot move it`() async throws {
        try await Self.withJobs(1) { database, terms in
            var short = terms
            short.lease = .milliseconds(-1)
            let lease = try #require(
                try await database.pool.withConnection { try await Self.claim(1, short, on: $0) }.first)
            let rescue = JobQueue.rescue(limit: 10, landingTime: .seconds(40), since: 0)
            #expect(try await database.pool.query(rescue).count == 1)
            #expect(try await database.pool.query(rescue).isEmpty)
            let row = try await database.admin.query(
                "select state, epoch, in_doubt, crashes, quiet_until > now() + interval '30 seconds' from dialtone.jobs"
            ).first
            let found = try #require(try row?.decode(String.self, Int64.self, Bool.self, Int32.self, Bool.self))
            #expect(found == ("in_doubt", lease.epoch + 1, true, 1, true))
            let late = Transition(lease: lease, to: .scheduled, delay: .zero)
            #expect(try await database.pool.query(JobQueue.move([late])).isEmpty)
            let job = try #require(
                try await database.pool.query(ClaimedJob.doubtful(limit: 1, terms)).first.map {
                    try ClaimedJob.read($0, state: .looking, worker: terms.worker).job
                })
            #expect(job.life.isDoubtful && job.life.phase == .looking)
        }
    }

    @Test func `a scheduled job that was ever in doubt is looked up before it may create`() async throws {
        try await Self.withJobs(2) { database, terms in
            try await database.admin.script(
                "update dialtone.jobs set state = 'scheduled', in_doubt = (place = 1), run_at = now()")
            _ = try await database.pool.query(JobQueue.promote(limit: 10))
            let states = try await database.admin.query("select state, in_doubt from dialtone.jobs order by in_doubt")
                .map { row in "\(try row.decode(String.self, Bool.self))" }
            #expect(states == ["(\"queued\", false)", "(\"in_doubt\", true)"])
        }
    }

    /// A batch larger than a whole tag must not wait for a tag that could hold it, because no such tag exists.
    @Test func `a claim fills the open tag and leaves the rest for the next tag`() async throws {
        try await Self.withJobs(30) { database, terms in
            var small = terms
            small.tagCapacity = 8
            var tagged: [String: Int] = [:]
            for turn in 1...4 {
                let jobs = try await database.pool.query(ClaimedJob.queued(limit: 30, from: .beginning, small)).map {
                    try ClaimedJob.read($0, state: .armed, worker: small.worker).job
                }
                for job in jobs { tagged[job.tag ?? "none", default: 0] += 1 }
                let starved = jobs.filter(\.needsTag)
                #expect(starved.count == max(0, 30 - 8 * turn))
                if starved.isEmpty { continue }
                let opening = TagShards.openNext(for: try TenantID("acme"), capacity: 8)
                _ = try await database.pool.withConnection { try await $0.pipeline([opening]) }
                let back = starved.map { Transition(lease: $0.lease, to: .queued, delay: .zero) }
                _ = try await database.pool.query(JobQueue.move(back))
                tagged["none"] = nil
            }
            #expect(tagged == ["acme": 8, "acme.2": 8, "acme.3": 8, "acme.4": 6])
            let held = try await database.admin.query("select held from dialtone.tenant_tags order by shard")
                .map { try $0.decode(Int32.self) }
            #expect(held == [8, 8, 8, 6])
        }
    }

    /// A stray under a tag of the tenant makes its creates look first again.
    @Test func `after a server change a tenant's creates look first until its tags have been seen`() async throws {
        try await Self.withJobs(4) { database, terms in
            func looksFirst() async throws -> Bool? {
                try await database.pool.query(ClaimedJob.queued(limit: 1, from: .beginning, terms)).first.map {
                    try ClaimedJob.read($0, state: .armed, worker: terms.worker).job.life.trust.looksFirst
                }
            }
            try await database.admin.script("update dialtone.incarnation set looks_first = true, looks_twice = true")
            #expect(try await looksFirst() == true)
            try await database.admin.script(
                "update dialtone.tenants set swept_under = (select started from dialtone.incarnation)")
            #expect(try await looksFirst() == false)
            try await database.admin.script(
                "insert into dialtone.strays (provider_id, name, tag) values ('p', 'n', 'globex')")
            #expect(try await looksFirst() == false)
            try await database.admin.script(
                "insert into dialtone.strays (provider_id, name, tag) values ('q', 'n', 'acme.2')")
            #expect(try await looksFirst() == true)
        }
    }

    /// The clone has an installation id of its own, so its credentials get names of their own. The former credentials
    /// stay with the first installation.
    @Test func `a clone gives up every credential and makes the next generation`() async throws {
        try await Self.withJobs(3) { database, _ in
            try await database.admin.script(
                """
                delete from dialtone.jobs;
                update dialtone.users set status = 'ready';
                update dialtone.users set wanted = 'gone', status = 'revoked' where user_id = 'user-3';
                insert into dialtone.credentials (tenant_id, user_id, generation, provider_id, name, tag, status,
                                                  sealed_username, sealed_password, username_index)
                select 'acme', user_id, 1, user_id, user_id, 'acme', 'active', '', '', decode(repeat('00', 16), 'hex')
                from dialtone.users where wanted = 'live'
                """)
            let before = try #require(try await InstallationConfirmation.state(on: database.admin)).id
            try await InstallationConfirmation.confirmClone(on: database.admin)
            let after = try #require(try await InstallationConfirmation.state(on: database.admin))
            #expect(after.id != before && !after.isStopped)
            let rows = try await database.admin.query(
                """
                select (select count(*) from dialtone.credentials where status <> 'deleted'),
                       (select count(*) from dialtone.jobs where state = 'queued' and generation = 2),
                       (select count(*) from dialtone.users where status = 'pending' and generation = 2)
                """
            ).map { try $0.decode(Int64.self, Int64.self, Int64.self) }
            #expect(rows.count == 1 && rows[0] == (0, 2, 2))
        }
    }

    // MARK: Test bed

    private static func withJobs(_ count: Int, _ work: (TestDatabase, ClaimTerms) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            try await database.admin.script(
                """
                insert into dialtone.tenants (tenant_id, connection_id) values ('acme', '1');
                insert into dialtone.tenant_tags (tenant_id, shard, tag) values ('acme', 1, 'acme');
                insert into dialtone.users (tenant_id, user_id, wanted, status, received_at)
                select 'acme', 'user-' || n, 'live', 'pending', now() from generate_series(1, \(count)) n;
                insert into dialtone.jobs (id, tenant_id, user_id, generation, place, run_at, enqueued_at)
                select gen_random_uuid(), 'acme', 'user-' || n, 1, n, now(), now() from generate_series(1, \(count)) n
                """)
            _ = try await database.admin.query(Incarnation.adopt(lease: .seconds(30), landingTime: .seconds(40)))
            let row = try await database.admin.query(Incarnation.current).first
            let terms = ClaimTerms(
                worker: WorkerID(rawValue: UUID()), started: try Incarnation.read(#require(row)).started,
                lease: .seconds(30), landingTime: .seconds(40), tagCapacity: 980)
            try await work(database, terms)
        }
    }

    private static func claim(
        _ limit: Int, _ terms: ClaimTerms, on connection: PostgresConnection
    ) async throws -> [Lease] {
        try await connection.query(ClaimedJob.queued(limit: limit, from: .beginning, terms)).map {
            try ClaimedJob.read($0, state: .armed, worker: terms.worker).job.lease
        }
    }

    private static func plan(of statement: SQL, on connection: PostgresConnection) async throws -> String {
        try await connection.query("explain \(statement)").map { try $0.decode(String.self) }.joined(separator: "\n")
    }

    private static func evidence(of user: String) throws -> Evidence {
        Evidence(
            lease: Lease(job: JobID(rawValue: UUID()), epoch: 1, worker: WorkerID(rawValue: UUID()), state: .armed),
            installation: UUID(), user: UserKey(tenant: try TenantID("acme"), user: try UserID(user)), generation: 1,
            providerID: ProviderID(rawValue: "p"), name: "n", tag: "acme", sealedUsername: [1], sealedPassword: [1],
            usernameIndex: Array(repeating: 0, count: 16), expiresAt: nil, trace: Trace())
    }
}
