// SPDX-License-Identifier: Apache-2.0
// A tag whose visit is due: any worker takes it, and a crash of the taker costs two minutes.

import Foundation
import Model
import Postgres

/// One shard of one tenant, as its visitor has read it. Times are the database's.
struct DueTag: Sendable {
    let tenant: TenantID
    let shard: Int32
    /// Whether the tenant has no higher shard. The visit then lists the next one too.
    let isHighest: Bool
    /// Whether a job waits until the tag is seen.
    let isWanted: Bool
    /// Whether the tag was seen in this era.
    let isSeen: Bool
    /// Whether the last whole list is too old, or there was none.
    let isListDue: Bool
    /// Credentials at the provider beside the ledger's: its total less ours, at the last whole list.
    let others: Int
    /// Whole lists in a row that explain no total.
    let miscounts: Int
    /// Visits in a row that failed.
    let failures: Int
    /// How long the tag has not been quiet; nil when it was quiet at the last visit.
    let busyFor: Duration?
    /// From one visit of a quiet tag to the next.
    let period: Duration
    /// The era in which the visit begins.
    let era: Int64
    /// When the visit begins.
    let began: Date

    var tag: String { TagShards.name(self.shard, of: self.tenant) }

    /// How far ahead a taker pushes the due time.
    static let hold: Duration = .seconds(120)

    /// Takes up to five tags that are due; those that a claim wants come first. `interval`: the least time between two
    /// visits.
    ///
    /// Two takers of one tag do no harm, because committed rows prove what each corrects. Index tenant_tags_due, whose
    /// rows are locked; one that another has locked is passed over.
    static func take(interval: Duration) -> SQL {
        """
        with due as materialized (
            select tenant_id, shard, due_at from dialtone.tenant_tags where due_at <= statement_timestamp()
            order by due_at limit 5 for no key update skip locked),
        pace as materialized (\(Self.pace(interval: interval)))
        update dialtone.tenant_tags tag set due_at = clock_timestamp() + \(Self.hold)
        from due, pace, dialtone.incarnation
        where tag.tenant_id = due.tenant_id and tag.shard = due.shard
        returning \(Self.columns(isWanted: "due.due_at = '-infinity'"))
        """
    }

    /// Reads one tag, whether it is due or not. No row before a worker has met the server, or without such a shard.
    static func one(_ tenant: TenantID, _ shard: Int32, interval: Duration) -> SQL {
        """
        with pace as materialized (\(Self.pace(interval: interval)))
        select \(Self.columns(isWanted: "false")) from dialtone.tenant_tags tag, pace, dialtone.incarnation
        where tag.tenant_id = \(tenant) and tag.shard = \(shard)
        """
    }

    /// A visit's period grows with the number of tags: ten seconds a tag, or twenty where the account's pages are so
    /// few that their walk finds most of what a visit would find. The tags are counted by an index.
    static func pace(interval: Duration) -> SQL {
        """
        select greatest(\(interval), tags.number * case when walk.pages < 0.4 * tags.number then interval '20 seconds'
                                                        else interval '10 seconds' end) as period
        from (select count(*) as number from dialtone.tenant_tags) tags left join dialtone.account_walk walk on true
        """
    }

    /// The higher shard is looked up by tenant_tags_pkey.
    private static func columns(isWanted: SQL) -> SQL {
        """
        tag.tenant_id, tag.shard,
        not exists (select 1 from dialtone.tenant_tags higher
                    where higher.tenant_id = tag.tenant_id and higher.shard > tag.shard) as is_highest,
        \(isWanted) as is_wanted,
        coalesce(tag.seen_era = incarnation.era, false) as is_seen,
        coalesce(tag.listed_at < statement_timestamp() - greatest(interval '7 days', pace.period), true) as is_list_due,
        tag.others, tag.miscounts, tag.failures,
        (extract(epoch from statement_timestamp() - tag.busy_since) * 1000000)::bigint as busy_us,
        (extract(epoch from pace.period) * 1000000)::bigint as period_us,
        incarnation.era, clock_timestamp() as began
        """
    }

    static func read(_ row: PostgresRow) throws -> DueTag {
        var columns = row.columns
        return DueTag(
            tenant: try columns.next(), shard: try columns.next(), isHighest: try columns.next(),
            isWanted: try columns.next(), isSeen: try columns.next(), isListDue: try columns.next(),
            others: try columns.next(), miscounts: try columns.next(), failures: try columns.next(),
            busyFor: try columns.next(Int64?.self).map { .microseconds($0) },
            period: .microseconds(try columns.next(Int64.self)), era: try columns.next(), began: try columns.next())
    }

    /// The shard after this one, which the ledger does not have.
    var next: DueTag {
        DueTag(
            tenant: self.tenant, shard: self.shard + 1, isHighest: true, isWanted: false, isSeen: false,
            isListDue: true, others: 0, miscounts: 0, failures: 0, busyFor: nil, period: self.period, era: self.era,
            began: self.began)
    }

    // MARK: Tags that the ledger does not have

    /// Gives each tenant without a tag its first one, due now. A ledger that has lost commits may have lost its tags
    /// too, and a tenant without tags would never be seen. Indexes tenants_pkey and tenant_tags_pkey, the first whole.
    static func first(of tenant: TenantID?) -> SQL {
        """
        insert into dialtone.tenant_tags (tenant_id, shard, tag, opened, due_at)
        select tenants.tenant_id, 1, tenants.tenant_id, null, clock_timestamp() from dialtone.tenants
        where (\(tenant)::text is null or tenants.tenant_id = \(tenant))
          and not exists (select 1 from dialtone.tenant_tags tag where tag.tenant_id = tenants.tenant_id offset 0)
        on conflict do nothing
        """
    }

    /// Adds the shard after this one, which holds something at the provider. Its visit is due now.
    var addNext: SQL {
        """
        insert into dialtone.tenant_tags (tenant_id, shard, tag, opened, due_at)
        values (\(self.tenant), \(self.shard + 1), \(TagShards.name(self.shard + 1, of: self.tenant)), null,
                clock_timestamp())
        on conflict do nothing
        """
    }

    /// Reads every tag with its shard, in order.
    static func all(of tenant: TenantID?) -> SQL {
        """
        select tenant_id, shard from dialtone.tenant_tags
        where \(tenant)::text is null or tenant_id = \(tenant) order by tenant_id, shard
        """
    }
}
