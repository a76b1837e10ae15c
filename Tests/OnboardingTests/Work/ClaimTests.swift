// SPDX-License-Identifier: Apache-2.0
// A claim finds every row by key, takes tag slots for its jobs, and says which of them must look first.

import Foundation
import Lifecycle
import Model
import Postgres
import Queue
import TestSupport
import Testing

@testable import Onboarding

@Suite struct ClaimTests {
    @Test func `the claim and finish statements find every row by key`() async throws {
        try await Self.withJobs(300) { database, terms in
            let finish = Evidence.record([Self.evidence])
            for statement in [ClaimedJob.queued(limit: 64, from: .beginning, terms)] + finish {
                let plan = try await database.pool.withConnection { try await Self.plan(of: statement, on: $0) }
                // Tables that have one row, or are nearly always empty, may be read whole.
                let small = ["incarnation", "installation", "workers"].reduce(plan) {
                    $0.replacing("Seq Scan on \($1)", with: "")
                }
                #expect(!small.contains("Seq Scan on") && !plan.contains("Hash Join"), "\(plan)")
            }
        }
    }

    /// While an old snapshot is open, these indexes also hold entries of dead rows. A scan must not read beyond its
    /// range.
    @Test func `a claim enters the indexes of doubtful jobs and of tags at their ends`() async throws {
        try await Self.withJobs(300) { database, terms in
            let doubtful = ClaimedJob.doubtful(limit: 16, terms)
            let answers = try await database.pool.withConnection {
                try await $0.pipeline([["set local enable_seqscan = off", "explain \(doubtful)"]])
            }
            let look = try #require(answers[0].last).get().map { try $0.decode(String.self) }.joined(separator: "\n")
            let scan = look.split(separator: "\n").drop { !$0.contains("jobs_in_doubt") }.prefix(2).joined()
            #expect(scan.contains("Index Cond") && scan.contains("statement_timestamp"), "\(look)")
            let claim = try await database.pool.withConnection {
                try await Self.plan(of: ClaimedJob.queued(limit: 64, from: .beginning, terms), on: $0)
            }
            #expect(claim.contains("Index Scan Backward using tenant_tags_opened"), "\(claim)")
        }
    }

    @Test func `a job whose lease ran out is claimed for a look`() async throws {
        try await Self.withJobs(1) { database, terms in
            var short = terms
            short.lease = .milliseconds(-1)
            #expect(try await Self.claim(1, short, database).count == 1)
            let rescue = Rescue.expiredLeases(limit: 10, landingTime: .seconds(40), since: 0)
            #expect(try await database.pool.query(rescue).count == 1)
            let job = try #require(
                try await database.pool.query(ClaimedJob.doubtful(limit: 1, terms)).first.map {
                    try ClaimedJob.read($0, state: .looking, worker: terms.worker).job
                })
            #expect(job.life.isDoubtful && job.life.phase == .looking)
        }
    }

    @Test func `the lease of a claim moves its job`() async throws {
        try await Self.withJobs(1) { database, terms in
            let job = try #require(try await Self.claim(1, terms, database).first)
            let move = Transition(lease: job.lease, to: .scheduled, delay: .zero)
            #expect(try await database.pool.query(Transition.write([move])).count == 1)
        }
    }

    /// A batch larger than a whole tag must not wait for a tag that could hold it, because no such tag exists.
    @Test func `a claim fills the open tag and leaves the rest for the next tag`() async throws {
        try await Self.withJobs(30) { database, terms in
            var small = terms
            small.tagCapacity = 8
            var tagged: [String: Int] = [:]
            for turn in 1...4 {
                let jobs = try await Self.claim(30, small, database)
                for job in jobs { tagged[job.tag ?? "none", default: 0] += 1 }
                let starved = jobs.filter(\.needsTag)
                #expect(starved.count == max(0, 30 - 8 * turn))
                if starved.isEmpty { continue }
                try await database.commit(TagShards.openNext(for: testTenant, capacity: 8))
                let back = starved.map { Transition(lease: $0.lease, to: .queued, delay: .zero) }
                _ = try await database.pool.query(Transition.write(back))
                tagged["none"] = nil
            }
            #expect(tagged == ["acme": 8, "acme.2": 8, "acme.3": 8, "acme.4": 6])
            let held = try await database.admin.query("select held from dialtone.tenant_tags order by shard")
                .map { try $0.decode(Int32.self) }
            #expect(held == [8, 8, 8, 6])
        }
    }

    /// By the time of its next claim the tenant may be seen, and then nobody would look.
    @Test(arguments: [true, false])
    func `a job without a slot goes back to where it was to begin`(isSeen: Bool) async throws {
        try await Self.withJobs(3) { database, terms in
            if !isSeen { try await database.insert(Ledger.unseen) }
            var small = terms
            small.tagCapacity = 1
            let starved = try await Self.claim(3, small, database).filter(\.needsTag)
            let worker = try WorkerBed.worker(
                on: ScriptedProvider { _ in }, database.pool,
                installation: try await WorkerBed.installation(on: database.admin))
            let back = await worker.putBackWithoutTag(starved, small)
            let states = back.compactMap { if case .moved(let transition) = $0 { transition.to } else { nil } }
            #expect(states == [isSeen ? .queued : .inDoubt, isSeen ? .queued : .inDoubt])
        }
    }

    @Test func `a tenant's creates look first until its tags have been seen in this era`() async throws {
        try await Self.withJobs(4) { database, terms in
            func looksFirst() async throws -> Bool? {
                try await Self.claim(1, terms, database).first?.life.trust.looksFirst
            }
            try await database.insert(Ledger.unseen)
            #expect(try await looksFirst() == true)
            try await database.commit(TenantTrust.saw(testTenant, shard: 1, era: terms.era, began: Date()))
            #expect(try await looksFirst() == false)
        }
    }

    @Test func `in an unseen tenant nothing is absent before the ledger's quiet time`() async throws {
        try await Self.withJobs(2) { database, terms in
            try await database.admin.script("update dialtone.incarnation set quiet_until = now() + interval '1 hour'")
            let seen = try await Self.claim(1, terms, database).first
            #expect(seen?.life.quietIn == nil)
            try await database.insert(Ledger.unseen)
            let unseen = try await Self.claim(1, terms, database).first
            #expect(unseen?.life.quietIn.map { $0 > .seconds(3000) } == true)
        }
    }

    @Test func `a claim in another era finds nothing`() async throws {
        try await Self.withJobs(1) { database, terms in
            var former = terms
            former.era += 1
            let none = try await Self.claim(1, former, database)
            #expect(none.isEmpty)
            #expect(try await Self.claim(1, terms, database).count == 1)
        }
    }

    /// A visit has seen a credential of that name while a worker held the job, and the job was put off before it sent
    /// anything. The tenant is seen, so nothing else would make it look.
    @Test func `a job of whose name a credential was seen looks first in any tenant`() async throws {
        try await Self.withJobs(2) { database, terms in
            try await database.admin.script("update dialtone.jobs set must_look = user_id = 'user-1'")
            let jobs = try await Self.claim(2, terms, database)
            #expect(jobs.map(\.user.user.rawValue) == ["user-1", "user-2"])
            #expect(jobs.map(\.life.trust.looksFirst) == [true, false])
            // A list from before then does not show it, and its tenant needs no visit.
            #expect(jobs.map(\.mustLook) == [true, false] && jobs.allSatisfy { !$0.isUnseen })
        }
    }

    /// The look is owed to the generation that is wanted. The job deletes an older one first.
    @Test func `a job that must look at another generation does not look at its own`() async throws {
        try await Self.withJobs(1) { database, terms in
            try await database.admin.script(
                "update dialtone.jobs set must_look = true; update dialtone.users set generation = 2")
            #expect(try await Self.claim(1, terms, database).map(\.life.trust.looksFirst) == [false])
        }
    }

    @Test func `a claim tells its tag that it has changed`() async throws {
        try await Self.withJobs(1) { database, terms in
            _ = try await Self.claim(1, terms, database)
            let changed = try await database.admin.query(
                "select 1 from dialtone.tenant_tags where changed_at is not null")
            #expect(changed.count == 1)
        }
    }

    // MARK: Test bed

    /// Lends a database with queued jobs at the places 1, 2, … and what a claim of a new worker needs.
    private static func withJobs(_ count: Int, _ work: (TestDatabase, ClaimTerms) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            try await database.insert(Ledger.tenant(), Ledger.tag(), Ledger.users(count), Ledger.jobs(count))
            _ = try await database.admin.query(Incarnation.adopt(lease: .seconds(30), landingTime: .seconds(40)))
            let row = try await database.admin.query(Incarnation.current).first
            let server = try Incarnation.read(#require(row))
            let terms = ClaimTerms(
                worker: WorkerID(rawValue: UUID()), era: try #require(server.era),
                lease: .seconds(30), landingTime: .seconds(40), tagCapacity: 980)
            try await work(database, terms)
        }
    }

    private static func claim(
        _ limit: Int, _ terms: ClaimTerms, _ database: TestDatabase
    ) async throws -> [ClaimedJob] {
        try await database.pool.query(ClaimedJob.queued(limit: limit, from: .beginning, terms)).map {
            try ClaimedJob.read($0, state: .armed, worker: terms.worker).job
        }
    }

    private static func plan(of statement: SQL, on connection: PostgresConnection) async throws -> String {
        try await connection.query("explain \(statement)").map { try $0.decode(String.self) }.joined(separator: "\n")
    }

    private static var evidence: Evidence {
        let lease = Lease(job: JobID(rawValue: UUID()), epoch: 1, worker: WorkerID(rawValue: UUID()), state: .armed)
        return ArmedJob(user: testUserKey, lease: lease).evidence()
    }
}
