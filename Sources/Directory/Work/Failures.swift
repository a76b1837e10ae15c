// SPDX-License-Identifier: Apache-2.0
// Users who could not be set up, grouped by what stood in the way: one cause is mended once, and not user by user.

package import Foundation
package import Model
import Postgres

/// Users who failed for the same reason with the same code of the provider. Words differ from user to user.
package struct FailureGroup: Sendable, Codable, Equatable {
    /// 'rejected', 'too_many_attempts', 'crashed_too_often', or another word of the ledger.
    package let reason: String
    /// The provider's own code; null: it gave none.
    @OrNull package var code: String?
    /// What the provider has said of one of them; null: it said nothing.
    @OrNull package var providerWords: String?
    package let users: Int64
    /// When the oldest and the newest of their jobs began.
    package let since: Date
    package let lastAt: Date
    /// When the first of them is tried again.
    @OrNull package var nextAt: Date?
    /// A few of them.
    package let sample: [String]
    package let action: String

    enum CodingKeys: String, CodingKey {
        case reason, code, users, since, sample, action
        case providerWords = "provider_words"
        case lastAt = "last_at"
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
            let (reason, code): (String, String?) = (try columns.next(), try columns.next())
            let (words, users): (String?, Int64) = (try columns.next(), try columns.next())
            let (since, last): (Date, Date) = (try columns.next(), try columns.next())
            let (next, sample): (Date?, [String]) = (try columns.next(), try columns.next())
            return FailureGroup(
                reason: reason, code: code, providerWords: words, users: users, since: since, lastAt: last,
                nextAt: next, sample: sample,
                action: reason == "rejected"
                    ? "mend what the provider names, then an operator: dialtone user retry"
                    : "to try sooner, an operator: dialtone user retry")
        }
        return (groups, isWhole)
    }

    /// Index jobs_dead_user, so many rows of it. Of a user who is not failed any more there is no failure.
    private static func select(of tenant: TenantID) -> SQL {
        """
        with died as materialized (
            select user_id, reason, provider_code, words, enqueued_at,
                   case when state = 'dead' then run_at end as run_at
            from dialtone.jobs
            where tenant_id = \(tenant) and deaths is not null order by user_id limit \(Self.most + 1))
        select (select count(*) from died) <= \(Self.most), coalesce(dead.reason, 'too_many_attempts'),
               dead.provider_code,
               (array_agg(dead.words order by dead.user_id) filter (where dead.words is not null))[1],
               count(*), min(dead.enqueued_at), max(dead.enqueued_at), min(dead.run_at),
               (array_agg(dead.user_id order by dead.user_id))[1:5]
        from (select * from died order by user_id limit \(Self.most)) dead
        cross join lateral (
            select status from dialtone.users
            where users.tenant_id = \(tenant) and users.user_id = dead.user_id offset 0) owner
        where owner.status = 'failed'
        group by 2, 3 order by count(*) desc, 2, 3
        """
    }
}
