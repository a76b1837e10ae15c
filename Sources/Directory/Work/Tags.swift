// SPDX-License-Identifier: Apache-2.0
// The tags of a tenant and how full they are, and what visits have found to differ from the ledger.

package import Foundation
package import Model
import Postgres

package struct TagEntry: Sendable, Codable, Equatable {
    package let tag: String
    package let shard: Int32
    package let held: Int32
    /// How many it may hold; null: what the provider allows.
    @OrNull package var room: Int32?
    package let isOpen: Bool
    @OrNull package var listedAt: Date?
    @OrNull package var nextVisitAt: Date?
    /// Credentials there that are not the ledger's.
    package let others: Int32
    package let failures: Int32
    /// What a visit would take away, and does not without an operator's word.
    @OrNull package var wouldChange: Int32?

    enum CodingKeys: String, CodingKey {
        case tag, shard, held, room, others, failures
        case isOpen = "open"
        case listedAt = "listed_at"
        case nextVisitAt = "next_visit_at"
        case wouldChange = "would_change"
    }
}

package struct FindingEntry: Sendable, Codable, Equatable {
    package let at: Date
    package let kind: String
    @OrNull package var userID: String?
    @OrNull package var generation: Generation?
    package let credentialID: String
    @OrNull package var tag: String?

    enum CodingKeys: String, CodingKey {
        case at, kind, generation, tag
        case userID = "user_id"
        case credentialID = "credential_id"
    }
}

package struct Tags: Sendable {
    private let reads: TenantReads

    package init(reads: TenantReads) { self.reads = reads }

    /// Returns a page of the tenant's tags by number. Index tenant_tags_pkey.
    package func page(
        of tenant: TenantID, after cursor: String?, limit: Int, as reader: Reader
    ) async throws -> (tags: [TagEntry], next: String?) {
        let list = "\(tenant) tags"
        let after = try Self.number(cursor, of: list)
        let statement: SQL = """
            select tag, shard, held, room,
                   coalesce(opened = (select max(opened) from dialtone.tenant_tags where tenant_id = \(tenant)), false),
                   listed_at,
                   case when isfinite(due_at) then due_at end, others, failures, would_change
            from (select * from dialtone.tenant_tags
                  where tenant_id = \(tenant) and shard > \(Int32(clamping: after)) order by shard
                  limit \(limit + 1)) tags
            order by shard
            """
        let rows = try await self.reads.rows(as: reader, [statement])[0]
        let tags = try rows.prefix(limit).map { row in
            var columns = row.columns
            return TagEntry(
                tag: try columns.next(), shard: try columns.next(), held: try columns.next(),
                room: try columns.next(), isOpen: try columns.next(), listedAt: try columns.next(),
                nextVisitAt: try columns.next(), others: try columns.next(), failures: try columns.next(),
                wouldChange: try columns.next())
        }
        let last = rows.count > limit ? tags.last?.shard : nil
        return (tags, last.map { ListCursor(list: list, place: ["\($0)"]).text })
    }

    /// Returns the newest findings first. Index findings_tenant, from its end.
    package func findings(
        of tenant: TenantID, after cursor: String?, limit: Int, as reader: Reader
    ) async throws -> (findings: [FindingEntry], next: String?) {
        let list = "\(tenant) findings"
        // The year 2255.
        var place = ["9000000000000000", "", ""]
        if let cursor { place = try ListCursor.place(cursor, of: list, count: 3) }
        guard let before = Int64(place[0]) else { throw InvalidValue("after", "must be the next of an earlier page") }
        let statement: SQL = """
            select at, kind, user_id, generation, provider_id, tag, (extract(epoch from at) * 1000000)::bigint
            from dialtone.findings
            where tenant_id = \(tenant)
              and at <= timestamptz 'epoch' + \(before) * interval '1 microsecond'
              and (at, provider_id, kind)
                  < (timestamptz 'epoch' + \(before) * interval '1 microsecond', \(place[1]), \(place[2]))
            order by at desc, provider_id desc, kind desc limit \(limit + 1)
            """
        let rows = try await self.reads.rows(as: reader, [statement])[0]
        var last: Int64?
        let findings = try rows.prefix(limit).map { row in
            var columns = row.columns
            let finding = FindingEntry(
                at: try columns.next(), kind: try columns.next(), userID: try columns.next(),
                generation: try columns.next(), credentialID: try columns.next(), tag: try columns.next())
            last = try columns.next()
            return finding
        }
        var next: String?
        if rows.count > limit, let last, let finding = findings.last {
            next = ListCursor(list: list, place: ["\(last)", finding.credentialID, finding.kind]).text
        }
        return (findings, next)
    }

    private static func number(_ cursor: String?, of list: String) throws -> Int64 {
        guard let cursor else { return 0 }
        guard let number = Int64(try ListCursor.place(cursor, of: list, count: 1)[0]) else {
            throw InvalidValue("after", "must be the next of an earlier page")
        }
        return number
    }
}
