// SPDX-License-Identifier: Apache-2.0
// A job that is given up stays in its row: it waits, keeps its doubt, and goes on when its user asks for something.

import Model
import Postgres
import Queue
import TestSupport
import Testing

@testable import Onboarding

@Suite struct BurialTests {
    /// A day when the provider has rejected it, else an hour.
    @Test(arguments: [("rejected", 24), ("too_many_attempts", 1), ("crashed_too_often", 1)])
    func `a job that is given up stays, and each death doubles its pause`(reason: String, hours: Int) async throws {
        try await ArmedJob.with(1) { database, jobs in
            for factor in [1, 2, 4, 8, 16, 32, 32] {
                try await database.finish([Self.burial(of: jobs[0], reason)])
                let pause = Duration.seconds(3600 * hours * factor)
                let dead: SQL = """
                    select 1 from dialtone.jobs join dialtone.users using (tenant_id, user_id)
                    where state = 'dead' and status = 'failed' and reason = \(reason) and words = 'no'
                      and provider_code = '10015'
                      and run_at between now() + \(pause) - interval '1 minute' and now() + \(pause)
                    """
                #expect(try await database.admin.query(dead).count == 1, "\(factor)")
                try await Self.arm(jobs[0], database)
            }
        }
    }

    @Test func `a dead job keeps its slot only when its create may have landed`() async throws {
        try await ArmedJob.with(2) { database, jobs in
            try await database.admin.script("update dialtone.tenant_tags set held = 2")
            let quiet: SQL = "update dialtone.jobs set quiet_until = '2027-01-15 12:00Z'"
            _ = try await database.admin.query(quiet)
            try await database.finish([
                Self.burial(of: jobs[0], "rejected"), Self.burial(of: jobs[1], "crashed_too_often", mayExist: true),
            ])
            let rows = try await database.admin.query(
                """
                select concat_ws(' ', user_id, in_doubt, tag, quiet_until = '2027-01-15 12:00Z') from dialtone.jobs
                where state = 'dead' order by user_id
                """
            ).map { try $0.decode(String.self) }
            #expect(rows == ["user-1 f t", "user-2 t acme t"])
            #expect(try await database.count("dialtone.tenant_tags where held = 1") == 1)
        }
    }

    @Test func `a job whose user was revoked meanwhile does not die`() async throws {
        try await ArmedJob.with(1) { database, jobs in
            try await database.admin.script("update dialtone.users set wanted = 'gone', status = 'revoking'")
            try await database.finish([Self.burial(of: jobs[0], "too_many_attempts", mayExist: true)])
            #expect(try await database.count("dialtone.jobs where state = 'in_doubt' and in_doubt") == 1)
            #expect(try await database.count("dialtone.users where status = 'revoking'") == 1)
        }
    }

    /// A rotation was rejected for good, and the overlap of an older credential ends meanwhile. The first delete fails.
    @Test func `a dead job deletes an older credential whose time has come, and is dead again`() async throws {
        try await ArmedJob.with(1) { database, jobs in
            let user = jobs[0].user
            try await database.admin.script(
                "update dialtone.users set generation = 3; update dialtone.jobs set generation = 3")
            try await database.finish([Self.burial(of: jobs[0], "rejected", mayExist: true)])
            try await database.insert(
                Ledger.credential(ProviderID(rawValue: "old"), of: user, status: .closing, closesIn: .seconds(-1)))
            #expect(try await database.admin.query(ForgottenDeletes.enqueue(after: .init())).count == 1)
            let turned = "generation = 1 and state = 'in_doubt' and in_doubt and must_look and reason = 'rejected'"
            #expect(try await database.count("dialtone.jobs where \(turned)") == 1)
            // The same page again finds nothing to turn.
            _ = try await database.admin.query(ForgottenDeletes.enqueue(after: .init()))
            try await Self.arm(jobs[0], database)
            let id = ProviderID(rawValue: "old")
            let ending = Ending(lease: jobs[0].lease, user: user, generation: 1, how: .deleted(id), trace: Trace())
            try await database.finish([.ended(ending)])
            let dead = "generation = 3 and state = 'dead' and in_doubt and not must_look and deaths = 1"
            let day = "run_at between now() + interval '23 hours' and now() + interval '24 hours'"
            let said = "words = 'no' and provider_code = '10015'"
            #expect(try await database.count("dialtone.jobs where \(dead) and \(day) and \(said)") == 1)
            #expect(try await database.count("dialtone.users where status = 'failed'") == 1)
        }
    }

    /// What is asked for while a job is in hand is not lost when the job dies.
    @Test func `a job that somebody asked for meanwhile is due at once when it dies, and once only`() async throws {
        try await ArmedJob.with(1) { database, jobs in
            let asked = "update dialtone.jobs set is_awaited = true"
            try await database.admin.script(asked)
            try await database.finish([Self.burial(of: jobs[0], "rejected")])
            let due = "state = 'dead' and run_at <= clock_timestamp() and not is_awaited and deaths = 1"
            #expect(try await database.count("dialtone.jobs where \(due)") == 1)
            // Its job deletes an older credential meanwhile, and is dead again.
            let old = ProviderID(rawValue: "old")
            try await database.admin.script("update dialtone.users set generation = 3")
            try await database.insert(
                Ledger.credential(old, of: jobs[0].user, status: .closing, closesIn: .seconds(-1)))
            try await Self.arm(jobs[0], database)
            try await database.admin.script(asked)
            let ending = Ending(
                lease: jobs[0].lease, user: jobs[0].user, generation: 1, how: .deleted(old), trace: Trace())
            try await database.finish([.ended(ending)])
            #expect(try await database.count("dialtone.jobs where generation = 3 and \(due)") == 1)
        }
    }

    /// The ledger then wants nothing more, and the dead job ends by a look.
    @Test func `a late credential of a dead job's generation is recorded, and the job looks now`() async throws {
        try await ArmedJob.with(1) { database, jobs in
            try await database.finish([Self.burial(of: jobs[0], "crashed_too_often", mayExist: true)])
            try await database.finish([jobs[0].lateEvidence()])
            #expect(try await database.count("dialtone.users where status = 'ready'") == 1)
            let due = "state = 'in_doubt' and in_doubt and attempts = 0 and run_at <= clock_timestamp()"
            #expect(try await database.count("dialtone.jobs where \(due)") == 1)
        }
    }

    /// The look of the wanted generation comes before the revoke is done.
    @Test func `a revoked user's job looks at the generation that it must look at before it ends`() async throws {
        try await ArmedJob.with(1) { database, jobs in
            try await database.admin.script("update dialtone.users set generation = 2")
            _ = try await database.admin.query(JobQueue.mustLook(jobs[0].user))
            try await database.admin.script("update dialtone.users set wanted = 'gone', status = 'revoking'")
            try await database.finish([Self.absent(jobs[0], generation: 1)])
            let next = "generation = 2 and state = 'in_doubt' and not must_look"
            #expect(try await database.count("dialtone.jobs where \(next)") == 1)
            #expect(try await database.count("dialtone.users where status = 'revoking'") == 1)
            try await Self.arm(jobs[0], database)
            try await database.finish([Self.absent(jobs[0], generation: 2)])
            #expect(try await database.count("dialtone.jobs") == 0)
            #expect(try await database.count("dialtone.users where status = 'revoked'") == 1)
        }
    }

    // MARK: Test bed

    private static func burial(of job: ArmedJob, _ reason: String, mayExist: Bool = false) -> JobResult {
        .buried(
            Burial(
                lease: job.lease, user: job.user, reason: reason, words: "no", providerCode: "10015",
                mayExist: mayExist, trace: Trace(httpStatus: 422)))
    }

    private static func absent(_ job: ArmedJob, generation: Generation) -> JobResult {
        .ended(Ending(lease: job.lease, user: job.user, generation: generation, how: .absent, trace: Trace()))
    }

    /// Gives the job back to its worker, as a claim does.
    private static func arm(_ job: ArmedJob, _ database: TestDatabase) async throws {
        _ = try await database.admin.query(
            """
            update dialtone.jobs set state = 'armed', epoch = \(job.lease.epoch), worker = \(job.lease.worker),
                                     lease_until = now() + interval '1 hour'
            """)
    }
}
