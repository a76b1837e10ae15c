// SPDX-License-Identifier: Apache-2.0
// A line of the log that stands for a call to the provider says how long the call took.

import Model
import Postgres
import Queue
import Telnyx
import TestSupport
import Testing

@testable import Onboarding

@Suite struct CallTimeTests {
    @Test func `a create, a lost answer, a rejection and a delete are timed`() async throws {
        try await JobRunBed.with { bed in
            guard case .owned(let evidence) = try await bed.run(.armed(), on: .willing()) else {
                Issue.record("the create works")
                return
            }
            #expect(evidence.trace.callMilliseconds != nil && evidence.trace.waitedMilliseconds != nil)
            let lost = ScriptedProvider { $0.create = { _ in .inDoubt("timeout", ProviderTrace()) } }
            #expect(try await bed.run(.armed(), on: lost).moved?.trace.callMilliseconds != nil)
            let rejected = try await bed.run(.armed(attempts: 1), on: .rejecting(code: "1", total: 1))
            #expect(rejected.buried?.trace.callMilliseconds != nil)
            let recorded = ClaimedJob.armed(wanted: .gone, recorded: ProviderID(rawValue: "p"))
            guard case .ended(let ending) = try await bed.run(recorded, on: .willing()) else {
                Issue.record("the delete works")
                return
            }
            #expect(ending.trace.callMilliseconds != nil)
        }
    }

    @Test func `a create that was not sent is no call`() async throws {
        try await JobRunBed.with { bed in
            let moved = try await bed.run(.armed(), on: ScriptedProvider { _ in }).moved
            #expect(moved?.trace.errorCode == "not_sent" && moved?.trace.callMilliseconds == nil)
        }
    }

    @Test func `a look is timed, also when it fails, and not when another list has shown the credential`() async throws
    {
        try await JobRunBed.with { bed in
            let early = try await bed.run(.looking(quietIn: .seconds(9)), on: .willing())
            #expect(early.moved?.trace.callMilliseconds != nil)
            let failing = ScriptedProvider { $0.failure = TelnyxFailure(.unavailable) }
            #expect(try await bed.run(.looking(), on: failing).moved?.trace.callMilliseconds != nil)
        }
    }

    @Test func `a look that permits a create has a line of its own, and so has the create`() async throws {
        try await JobRunBed.with { bed in
            let job = ClaimedJob.looking(quietIn: .seconds(-1))
            try await bed.database.insert(Ledger.user())
            try await bed.insert(job)
            guard case .owned(let evidence) = try await bed.run(job, on: .willing()) else {
                Issue.record("nothing is there, so it creates")
                return
            }
            #expect(evidence.trace.callMilliseconds != nil && evidence.wasDoubted)
            let lines = try await bed.database.admin.query(
                "select from_state || ' ' || to_state || ' ' || (call_ms >= 0 and waited_ms >= 0) from dialtone.job_log"
            )
            let texts = try lines.map { row in try row.decode(String.self) }
            #expect(texts == ["looking armed true"])
        }
    }

    @Test func `the times of each kind of result stand in the log`() async throws {
        try await ArmedJob.with(4) { database, jobs in
            var trace = Trace(httpStatus: 201)
            (trace.called, trace.waited) = (.milliseconds(31), .microseconds(7600))
            var evidence = jobs[0].evidence()
            evidence.trace = trace
            try await database.finish([
                .owned(evidence),
                .moved(Transition(lease: jobs[1].lease, to: .scheduled, delay: .zero, trace: trace)),
                .buried(
                    Burial(lease: jobs[2].lease, user: jobs[2].user, reason: "rejected", mayExist: false, trace: trace)),
                .ended(
                    Ending(lease: jobs[3].lease, user: jobs[3].user, generation: 1, how: .absent, trace: trace)),
            ])
            #expect(try await database.count("dialtone.job_log where call_ms = 31 and waited_ms = 8") == 4)
        }
    }
}
