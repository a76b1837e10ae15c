// SPDX-License-Identifier: Apache-2.0
// Users who become ready, are given up or are revoked are counted for their tenant, each once.

import Logging
import Model
import Postgres
import Queue
import TestSupport
import Testing

@testable import Counts
@testable import Onboarding

@Suite struct CountedEndsTests {
    private static func finish(_ results: [JobResult], _ counts: TenantCounts, _ database: TestDatabase) async throws {
        let batch = FinishBatch(results, counts: counts)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        try await database.pool.withConnection { connection in
            _ = try await batch.receive(try await connection.pipeline(batch.groups), on: connection, logger: logger)
        }
    }

    private static func total(_ counts: TenantCounts) -> TenantCount {
        counts.take().rows.values.reduce(into: TenantCount()) { $0.add($1) }
    }

    @Test func `a user is ready once, with the time since the event, however often the result is written`()
        async throws
    {
        try await ArmedJob.with(2) { database, jobs in
            let counts = TenantCounts()
            var first = jobs[0].evidence()
            first.arrival = ArrivalTime(before: .milliseconds(1500))
            let results = [JobResult.owned(first), .owned(jobs[1].evidence())]
            for _ in 1...2 { try await Self.finish(results, counts, database) }
            let total = Self.total(counts)
            #expect(total.ready == 2 && total.latency.reduce(0, +) == 1)
            #expect(total.latency[..<10].allSatisfy { $0 == 0 }, "it took more than a second")
        }
    }

    @Test func `a rotation makes nobody ready, and neither does a credential that nobody wants`() async throws {
        try await ArmedJob.with(2) { database, jobs in
            try await database.admin.script(
                "update dialtone.users set wanted = 'gone', status = 'revoking' where user_id = 'user-2'")
            let counts = TenantCounts()
            var rotated = jobs[0].evidence()
            rotated.overlap = .seconds(60)
            try await Self.finish([.owned(rotated), .owned(jobs[1].evidence())], counts, database)
            #expect(Self.total(counts).ready == 0)
        }
    }

    @Test func `a user who is given up is counted, and not a job whose credential came meanwhile`() async throws {
        try await ArmedJob.with(2) { database, jobs in
            try await Self.finish([.owned(jobs[1].lateEvidence())], TenantCounts(), database)
            let counts = TenantCounts()
            let burials = jobs.map { job in
                JobResult.buried(
                    Burial(
                        lease: job.lease, user: job.user, reason: "rejected", mayExist: false,
                        trace: Trace(httpStatus: 422)))
            }
            try await Self.finish(burials, counts, database)
            #expect(Self.total(counts).failed == 1)
            try await Self.finish(burials, counts, database)
            #expect(Self.total(counts).failed == 0, "the jobs are in nobody's hands any more")
        }
    }

    @Test func `a user is revoked when the last credential is deleted`() async throws {
        try await ArmedJob.with(1) { database, jobs in
            let job = jobs[0]
            try await database.insert(
                Ledger.credential(ProviderID(rawValue: "p"), of: job.user, status: .closing),
                "update dialtone.users set wanted = 'gone', status = 'revoking'")
            let counts = TenantCounts()
            let ending = Ending(
                lease: job.lease, user: job.user, generation: 1, how: .deleted(ProviderID(rawValue: "p")),
                trace: Trace())
            for _ in 1...2 { try await Self.finish([.ended(ending)], counts, database) }
            #expect(Self.total(counts) == TenantCount(revoked: 1))
            #expect(try await database.count("dialtone.users where status = 'revoked'") == 1)
        }
    }
}
