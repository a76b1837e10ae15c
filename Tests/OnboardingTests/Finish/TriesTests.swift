// SPDX-License-Identifier: Apache-2.0
// A credential tells how it came to be, also when the log is gone, and one without doubt pays nothing for that.

import Model
import Postgres
import Queue
import TestSupport
import Testing

@testable import Onboarding

@Suite struct TriesTests {
    private static func tries(_ database: TestDatabase) async throws -> [String] {
        try await database.admin.query(
            """
            select concat_ws(' ', user_id, creates, answers_lost, looks) from dialtone.credentials order by user_id
            """
        ).map { try $0.decode(String.self) }
    }

    /// A line of the log of user-1's job.
    private static func line(
        _ from: String, _ to: String, status: Int32? = nil, error: String? = nil, generation: Generation = 1
    ) -> SQL {
        """
        insert into dialtone.job_log (job_id, tenant_id, user_id, generation, from_state, to_state, epoch, http_status,
                                      error_code)
        values (gen_random_uuid(), 'acme', 'user-1', \(generation), \(from), \(to), 1, \(status), \(error))
        """
    }

    private static func found(_ job: ArmedJob) -> Evidence {
        var evidence = job.evidence()
        evidence.wasDoubted = true
        return evidence
    }

    @Test func `a credential that was never in doubt has one create and costs no further statement`() async throws {
        try await ArmedJob.with(2) { database, jobs in
            try await database.insert(Self.line("armed", "scheduled", status: 429))
            #expect(Evidence.record(jobs.map { $0.evidence() }).count == 2)
            try await database.finish(jobs.map { $0.evidence() })
            #expect(try await Self.tries(database) == ["user-1 1 0 0", "user-2 1 0 0"])
        }
    }

    @Test func `creates, lost answers and looks of a doubtful generation are counted from the log`() async throws {
        try await ArmedJob.with(2) { database, jobs in
            try await database.insert([
                Self.line("queued", "armed"),
                Self.line("armed", "scheduled", error: "not_sent"),
                Self.line("armed", "scheduled", error: "waits_for_limit"),
                Self.line("armed", "scheduled", status: 429),
                Self.line("armed", "in_doubt", error: "unknown: timeout"),
                Self.line("looking", "in_doubt"),
                Self.line("looking", "in_doubt", status: 503),
                Self.line("looking", "in_doubt", error: "lease_expired"),
                Self.line("looking", "armed"),
                Self.line("armed", "in_doubt", error: "worker_gone"),
                Self.line("armed", "in_doubt", status: 500, error: "unknown: status"),
                Self.line("armed", "in_doubt", status: 503),
                Self.line("armed", "in_doubt", status: 500, error: "unknown: status", generation: 2),
            ])
            try await database.finish([Self.found(jobs[0]), jobs[1].evidence()])
            #expect(try await Self.tries(database) == ["user-1 5 3 3", "user-2 1 0 0"])
        }
    }

    @Test func `a credential that a look adopts after its log was lost has had one create`() async throws {
        try await ArmedJob.with(1) { database, jobs in
            var adopted = Self.found(jobs[0])
            adopted.trace = Trace()
            try await database.finish([adopted])
            #expect(try await Self.tries(database) == ["user-1 1 0 1"])
        }
    }

    @Test func `a bad row costs the others neither their credential nor their counts`() async throws {
        try await ArmedJob.with(3) { database, jobs in
            try await database.insert(Self.line("armed", "in_doubt", error: "unknown: reset"))
            var batch = jobs.map(Self.found)
            batch[1].usernameIndex = [1]
            try await database.finish(batch)
            #expect(try await Self.tries(database) == ["user-1 2 1 0", "user-3 1 0 0"])
        }
    }

    @Test func `the log is entered by its user and the credential by its id`() async throws {
        try await ArmedJob.with(1) { database, jobs in
            _ = try await database.admin.query("select dialtone.ensure_job_log_partitions()::text")
            try await database.admin.script("vacuum analyze")
            try await database.pool.withConnection { connection in
                let statement = Evidence.countTries(of: [Self.found(jobs[0])])
                let plan = try await QueryPlan.generic(of: statement, on: connection)
                #expect(plan.walkedTables.isEmpty, "\(plan)")
            }
        }
    }
}
