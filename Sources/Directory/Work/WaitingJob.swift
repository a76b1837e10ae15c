// SPDX-License-Identifier: Apache-2.0
// The jobs of a tenant in words: what is to be done for whom, and why it is not done yet.

package import Foundation
package import Model
import Postgres

package struct WaitingJob: Sendable, Codable {
    package let jobID: String
    package let userID: String
    package let state: String
    @OrNull package var why: Why?
    package let generation: Generation
    package let attempts: Int32
    package let isInDoubt: Bool
    package let enqueuedAt: Date
    /// Not before; null: it waits for a scope that is stopped.
    @OrNull package var runAt: Date?
    @OrNull package var leaseUntil: Date?

    enum CodingKeys: String, CodingKey {
        case state, why, generation, attempts
        case jobID = "job_id"
        case userID = "user_id"
        case isInDoubt = "in_doubt"
        case enqueuedAt = "enqueued_at"
        case runAt = "run_at"
        case leaseUntil = "lease_until"
    }
}

package struct Jobs: Sendable {
    private let reads: TenantReads

    package init(reads: TenantReads) { self.reads = reads }

    /// Jobs that a page looks at.
    private static let window = 2000

    /// Returns a page of jobs in the order of their users. `state`: only those in it.
    package func page(
        of tenant: TenantID, state: JobState?, after cursor: String?, limit: Int, as reader: Reader
    ) async throws -> (jobs: [WaitingJob], next: String?) {
        let list = "\(tenant) jobs \(state?.rawValue ?? "")"
        let after = try cursor.map { try ListCursor.place($0, of: list, count: 1)[0] } ?? ""
        let rows = try await self.reads.rows(
            as: reader, [Self.select(of: tenant, after: after, limit: state == nil ? limit + 1 : Self.window)])[0]
        var jobs: [WaitingJob] = []
        var (next, last) = (String?.none, after)
        for row in rows {
            let job = try Self.job(row)
            if state == nil || job.state == state?.rawValue {
                if jobs.count == limit {
                    next = ListCursor(list: list, place: [last]).text
                    break
                }
                jobs.append(job)
            }
            last = job.userID
        }
        if next == nil, state != nil, rows.count == Self.window { next = ListCursor(list: list, place: [last]).text }
        let names = jobs.compactMap { UserID(rawValue: $0.userID) }
        let reasons = try await Reasons(reads: self.reads).why(names, of: tenant, as: reader)
        for place in jobs.indices { jobs[place].why = reasons[jobs[place].userID] }
        return (jobs, next)
    }

    /// Index jobs_tenant_id_user_id_key.
    private static func select(of tenant: TenantID, after: String, limit: Int) -> SQL {
        """
        select id, user_id, state, generation, attempts, in_doubt, enqueued_at, nullif(run_at, 'infinity'), lease_until
        from dialtone.jobs where tenant_id = \(tenant) and user_id > \(after) order by user_id limit \(limit)
        """
    }

    private static func job(_ row: PostgresRow) throws -> WaitingJob {
        var columns = row.columns
        let id: UUID = try columns.next()
        return WaitingJob(
            jobID: id.lowercase, userID: try columns.next(), state: try columns.next(), why: nil,
            generation: try columns.next(), attempts: try columns.next(), isInDoubt: try columns.next(),
            enqueuedAt: try columns.next(), runAt: try columns.next(), leaseUntil: try columns.next())
    }
}
