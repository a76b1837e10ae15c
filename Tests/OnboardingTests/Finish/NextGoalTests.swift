// SPDX-License-Identifier: Apache-2.0
// A finished generation leaves what is next for its user: another delete, the wanted generation, or nothing.

import Foundation
import Model
import Postgres
import Queue
import TestSupport
import Testing

@testable import Onboarding

@Suite struct NextGoalTests {
    /// The job's credential becomes surplus, and the job goes on to the wanted generation. It must look first there,
    /// because a credential of that generation was seen.
    @Test func `a job that moves to the next generation keeps neither its doubt nor its tries`() async throws {
        try await ArmedJob.with(1) { database, jobs in
            try await database.finish([jobs[0].lateEvidence(id: "old")])
            try await database.admin.script(
                """
                update dialtone.users set generation = 2, status = 'pending';
                update dialtone.credentials set status = 'deleted', deleted_at = now();
                update dialtone.jobs set attempts = 2, crashes = 1, failures = 1
                """)
            _ = try await database.admin.query(JobQueue.mustLook(jobs[0].user))
            try await database.finish([jobs[0].evidence(id: "second")])
            #expect(try await database.count("dialtone.surplus where provider_id = 'second'") == 1)
            let next = "generation = 2 and state = 'in_doubt' and not in_doubt and quiet_until is null"
            let tries = "not must_look and attempts = 0 and crashes = 0 and failures = 0"
            #expect(try await database.count("dialtone.jobs where \(next) and \(tries)") == 1)
        }
    }

    /// The job was told of the credential while its create was under way. What it then records ends the doubt of the
    /// generation: none of it is left for the next one.
    @Test func `a job keeps no doubt when the wanted credential is there`() async throws {
        try await ArmedJob.with(1) { database, jobs in
            try await database.admin.script(
                """
                insert into dialtone.credentials (tenant_id, user_id, generation, provider_id, name, tag, status,
                                                  sealed_username, sealed_password, username_index, close_after)
                values ('acme', 'user-1', 1, 'before', 'n', 'acme', 'closing', '', '',
                        decode(repeat('00', 16), 'hex'), now() + interval '1 hour');
                update dialtone.users set generation = 2;
                update dialtone.jobs set generation = 2, in_doubt = true, quiet_until = now(), must_look = true
                """)
            var evidence = jobs[0].evidence(id: "second")
            evidence.generation = 2
            try await database.finish([evidence])
            let next = "generation = 1 and state = 'scheduled'"
            let doubt = "not in_doubt and not must_look and quiet_until is null"
            #expect(try await database.count("dialtone.jobs where \(next) and \(doubt)") == 1)
        }
    }

    /// The credential was recorded after the job's look, so its user has not failed.
    @Test func `a job is not buried when its credential was recorded meanwhile`() async throws {
        try await ArmedJob.with(1) { database, jobs in
            try await database.finish([jobs[0].lateEvidence()])
            let burial = Burial(
                lease: jobs[0].lease, user: jobs[0].user, reason: "too_many_attempts", mayExist: true, trace: Trace())
            try await database.finish([.buried(burial)])
            #expect(try await database.count("dialtone.users where status = 'ready'") == 1)
            #expect(try await database.count("dialtone.jobs where state = 'in_doubt'") == 1)
        }
    }

    /// Generation 1 is deleted at the provider, and generation 2 is wanted. The ledger records the delete as well.
    @Test func `a job whose generation is deleted goes on to the wanted generation`() async throws {
        try await ArmedJob.with(1) { database, jobs in
            try await database.finish([jobs[0].evidence(id: "old")])
            try await database.admin.script(
                """
                update dialtone.users set generation = 2, status = 'pending';
                update dialtone.credentials set status = 'closing'
                """)
            let lease = jobs[0].lease
            try await database.insert(
                Ledger.job(lease.job, state: .armed, epoch: lease.epoch, worker: lease.worker, tag: "acme"))
            let ending = Ending(
                lease: lease, user: jobs[0].user, generation: 1, how: .deleted(ProviderID(rawValue: "old")),
                trace: Trace())
            try await database.finish([.ended(ending)])
            #expect(try await database.count("dialtone.credentials where status = 'deleted'") == 1)
            #expect(try await database.count("dialtone.jobs where state = 'queued' and generation = 2") == 1)
        }
    }

    /// A delete that keeps failing holds up no other delete of its user. Two that fail in turn wait longer each time.
    @Test func `a failed delete makes way for another delete of the same user`() async throws {
        try await ArmedJob.with(1) { database, jobs in
            try await database.admin.script(
                """
                update dialtone.users set wanted = 'gone', generation = 2, status = 'revoking';
                update dialtone.jobs set failures = 3
                """)
            try await database.insert(Self.closing(1), Self.closing(2))
            let result = Self.passedOver(by: jobs[0], after: .seconds(600), trace: Trace(httpStatus: 422))
            try await database.finish([result])
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
        try await ArmedJob.with(1) { database, jobs in
            try await database.admin.script(
                """
                update dialtone.users set generation = 4;
                update dialtone.tenant_tags set held = 4
                """)
            try await database.insert(Self.closing(1), Self.closing(2), Self.closing(3, in: .seconds(3600)))
            var turns: [Int32] = []
            for generation in [1, 2, 4] as [Generation] {
                let result = Self.passedOver(
                    by: jobs[0], generation, after: .seconds(60), isMade: generation < 4)
                try await database.finish([result])
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
        try await ArmedJob.with(1) { database, jobs in
            try await database.admin.script(
                """
                update dialtone.users set wanted = 'gone', generation = 2, status = 'revoking';
                update dialtone.jobs set is_awaited = true
                """)
            try await database.insert(Self.closing(1), Self.closing(2))
            try await database.finish([Self.passedOver(by: jobs[0], after: .seconds(600))])
            let isDue = try await database.admin.query(
                "select state = 'queued' and run_at <= clock_timestamp() from dialtone.jobs"
            ).first?.decode(Bool.self)
            #expect(isDue == true)
        }
    }

    /// A revoke may arrive while a worker holds the job. It must not wait for the pause that this worker chooses.
    @Test func `a change that arrives while its job is claimed does not wait for the job's pause`() async throws {
        try await ArmedJob.with(2) { database, jobs in
            _ = try await database.admin.query(
                """
                with wanting as (
                    select tenant_id, user_id, generation, place, clock_timestamp() as enqueued_at
                    from dialtone.jobs where user_id = \(jobs[0].user.user))
                \(JobQueue.enqueue(from: "wanting"))
                """)
            let moves = jobs.map { Transition(lease: $0.lease, to: .scheduled, delay: .seconds(600)) }
            _ = try await database.admin.query(Transition.write(moves))
            let due = try await database.admin.query(
                "select user_id from dialtone.jobs where run_at <= clock_timestamp() and not is_awaited")
            let names = try due.map { try $0.decode(String.self) }
            #expect(names == ["\(jobs[0].user.user)"])
        }
    }

    // MARK: Test bed

    /// A credential that waits for its delete, and may serve until then.
    private static func closing(_ generation: Generation, in delay: Duration? = nil) -> SQL {
        Ledger.credential(
            ProviderID(rawValue: "p-\(generation)"), generation: generation, status: .closing, closesIn: delay)
    }

    /// The result of a job that leaves its generation for another goal of its user.
    private static func passedOver(
        by job: ArmedJob, _ generation: Generation = 1, after delay: Duration, isMade: Bool = true,
        trace: Trace = Trace()
    ) -> JobResult {
        let how = Ending.How.passedOver(after: delay, isMade: isMade)
        return .ended(Ending(lease: job.lease, user: job.user, generation: generation, how: how, trace: trace))
    }
}
