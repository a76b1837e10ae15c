// SPDX-License-Identifier: Apache-2.0
// Many results are written at once, crossed, repeated, or beside a bad row, and none is lost.

import Logging
import Model
import Postgres
import Queue
import TestSupport
import Testing

@testable import Onboarding

@Suite struct FinishBatchTests {
    @Test func `a result that the database refuses does not stop the others in its batch`() async throws {
        try await ArmedJob.with(256) { database, jobs in
            var batch = jobs.map { $0.evidence() }
            batch[100].usernameIndex = [1]
            try await database.finish(batch)
            #expect(try await database.count("dialtone.credentials") == 255)
            let left = try await database.admin.query("select user_id, state from dialtone.jobs")
                .map { "\(try $0.decode(String.self, String.self))" }
            #expect(left == ["(\"\(jobs[100].user.user)\", \"armed\")"], "its lease will run out, and a look finds it")
        }
    }

    /// Its create may have been sent, so such a job must not be taken for one of a lost claim.
    @Test func `a batch names the jobs whose result it has given up`() async throws {
        try await ArmedJob.with(3) { database, jobs in
            var evidence = jobs.map { $0.evidence() }
            evidence[1].usernameIndex = [1]
            let batch = FinishBatch(evidence.map { JobResult.owned($0) })
            let refused = try await database.pool.withConnection { connection in
                try await batch.receive(
                    try await connection.pipeline(batch.groups), on: connection,
                    logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            }
            #expect(refused == [jobs[1].lease.job])
        }
    }

    @Test func `a finish that is repeated changes nothing`() async throws {
        try await ArmedJob.with(3) { database, jobs in
            let batch = jobs.map { $0.evidence() }
            try await database.finish(batch)
            try await database.finish(batch)
            #expect(try await database.count("dialtone.credentials where status = 'active'") == 3)
            #expect(try await database.count("dialtone.surplus") == 0)
            #expect(try await database.count("dialtone.jobs") == 0)
            #expect(try await database.count("dialtone.users where status = 'ready'") == 3)
        }
    }

    /// Two nodes write results for the same users in crossed order. Neither waits for ever.
    @Test func `crossed batches of two nodes leave one credential per user and drop no evidence`() async throws {
        try await ArmedJob.with(100) { database, jobs in
            let here = jobs.map { $0.evidence(id: "here-\($0.user.user)") }
            let there = jobs.map { $0.lateEvidence(id: "there-\($0.user.user)") }
            let moves = jobs.reversed().map { Transition(lease: $0.lease, to: .inDoubt, delay: .zero) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await database.finish(here) }
                group.addTask { try await database.finish(there.reversed()) }
                group.addTask { _ = try await database.pool.query(Transition.write(moves)) }
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
}
