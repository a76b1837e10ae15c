// SPDX-License-Identifier: Apache-2.0
// Users who could not be set up, grouped by what stood in the way: one cause is mended once, and not user by user.

package import Foundation
package import Model
import Postgres

/// Users who failed for the same reason with the same words.
package struct FailureGroup: Sendable, Codable, Equatable {
    /// 'rejected', 'too_many_attempts', 'crashed_too_often', or another word of the ledger.
    package let reason: String
    /// The provider's code and words; null: it said nothing.
    @OrNull package var providerWords: String?
    package let users: Int64
    package let since: Date
    /// When the first of them is tried again.
    @OrNull package var nextAt: Date?
    /// A few of them.
    package let sample: [String]
    package let action: String

    enum CodingKeys: String, CodingKey {
        case reason, users, since, sample, action
        case providerWords = "provider_words"
        case nextAt = "next_at"
    }
}

package struct Failures: Sendable {
    private let reads: TenantReads

    package init(reads: TenantReads) { self.reads = reads }

    /// So many failed users are grouped.
    package static let most = 1000

    /// Returns the groups, the largest first, and whether there are more failed users than were grouped.
    package func groups(
        of tenant: TenantID, as reader: Reader
    ) async throws -> (groups: [FailureGroup], isWhole: Bool) {
        let rows = try await self.reads.rows(as: reader, [Self.select(of: tenant)])[0]
        var isWhole = true
        let groups = try rows.map { row in
            var columns = row.columns
            isWhole = try columns.next()
            let (reason, words): (String, String?) = (try columns.next(), try columns.next())
            let (users, since): (Int64, Date) = (try columns.next(), try columns.next())
            let (next, sample): (Date?, [String]) = (try columns.next(), try columns.next())
            return FailureGroup(
                reason: reason, providerWords: words, users: users, since: since, nextAt: next, sample: sample,
                action: reason == "rejected"
                    ? "mend what the provider names, then: dialtone user retry" : "try again: dialtone user retry")
        }
        return (groups, isWhole)
    }

    /// Index jobs_dead_user, so many rows of it. Of a user who is not failed any more there is no failure.
    private static func select(of tenant: TenantID) -> SQL {
        """
        with died as materialized (
            select user_id, reason, words, enqueued_at, case when state = 'dead' then run_at end as run_at
            from dialtone.jobs
            where tenant_id = \(tenant) and deaths is not null order by user_id limit \(Self.most + 1))
        select (select count(*) from died) <= \(Self.most), coalesce(dead.reason, 'too_many_attempts'), dead.words,
               count(*), min(dead.enqueued_at), min(dead.run_at), (array_agg(dead.user_id order by dead.user_id))[1:5]
        from (select * from died order by user_id limit \(Self.most)) dead
        cross join lateral (
            select status from dialtone.users
            where users.tenant_id = \(tenant) and users.user_id = dead.user_id offset 0) owner
        where owner.status = 'failed'
        group by 2, 3 order by count(*) desc, 2, 3
        """
    }
}
