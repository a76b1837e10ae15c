// SPDX-License-Identifier: Apache-2.0
// Jobs in the hands of one worker, what that worker reports of them, and what the ledger then has.

import Foundation
import Logging
import Model
import Postgres
import Queue
import TestSupport

@testable import Onboarding

/// A job of generation 1 whose worker may create.
struct ArmedJob {
    /// The installation of the databases that `with` makes. Evidence names it.
    static let installation = UUID()

    let user: UserKey
    let lease: Lease

    /// Lends a database with pending users and an armed job for each, in the order of their places.
    static func with(_ count: Int, _ work: (TestDatabase, [ArmedJob]) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            let worker = WorkerID(rawValue: UUID())
            try await database.insert(
                Ledger.tenant(), Ledger.tag(), Ledger.users(count),
                Ledger.jobs(count, state: .armed, epoch: 1, worker: worker, tag: "acme"))
            try await Self.nameInstallation(database)
            let rows = try await database.admin.query("select id, user_id from dialtone.jobs order by place")
            let jobs = try rows.map { row in
                var columns = row.columns
                let id: JobID = try columns.next()
                return ArmedJob(
                    user: UserKey(tenant: testTenant, user: try columns.next()),
                    lease: Lease(job: id, epoch: 1, worker: worker, state: .armed))
            }
            try await work(database, jobs)
        }
    }

    /// Gives the database the installation that evidence names.
    static func nameInstallation(_ database: TestDatabase) async throws {
        _ = try await database.admin.query("update dialtone.installation set id = \(Self.installation)")
    }

    /// The credential that the provider has made for the job.
    func evidence(id: String? = nil) -> Evidence {
        Evidence(
            lease: self.lease, installation: Self.installation, user: self.user, generation: 1,
            providerID: ProviderID(rawValue: id ?? "p-\(self.user.user)"), name: "n-\(self.user.user)", tag: "acme",
            sealedUsername: [1], sealedPassword: [1], usernameIndex: Array(repeating: 0, count: 16), expiresAt: nil,
            trace: Trace(httpStatus: 201))
    }

    /// The same from another worker, which held the job before and has lost its lease.
    func lateEvidence(id: String? = nil) -> Evidence {
        var evidence = self.evidence(id: id)
        evidence.lease = Lease(
            job: self.lease.job, epoch: self.lease.epoch - 1, worker: WorkerID(rawValue: UUID()), state: .armed)
        return evidence
    }
}

extension TestDatabase {
    /// Writes the evidence as the results of a worker's jobs.
    func finish(_ evidence: [Evidence]) async throws {
        try await self.finish(evidence.map { JobResult.owned($0) })
    }

    /// Writes the results, and tries again after a deadlock, as the worker does.
    func finish(_ results: [JobResult]) async throws {
        let batch = FinishBatch(results)
        let logger = Logger(label: "test") { StreamLogHandler.standardError(label: $0) }
        for attempt in 1... {
            do {
                return try await self.pool.withConnection { connection in
                    _ = try await batch.receive(
                        try await connection.pipeline(batch.groups), on: connection, logger: logger)
                }
            } catch let error as PostgresError where error.isRetryable && attempt < 5 {
                continue
            }
        }
    }

    /// Counts the rows of a table, or those that a condition behind its name picks.
    func count(_ rows: String) async throws -> Int64? {
        try await self.admin.query(SQL(stringLiteral: "select count(*) from \(rows)")).first?.decode(Int64.self)
    }
}
