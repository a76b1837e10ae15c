// SPDX-License-Identifier: Apache-2.0
// A tenant at a glance: who waits, what came in, how fast it went. From counts that are kept, and never by a scan.

package import Foundation
package import Model
import Postgres

package struct Summary: Sendable, Codable, Equatable {
    package let tenant: String
    package let asOf: Date
    /// Users who wait, who failed and who are being removed. Not exact: of the first 10,000 jobs of the tenant.
    package let waiting: UserCount
    package let failed: UserCount
    package let removing: UserCount
    /// The oldest sign-up that waits; null: none does.
    @OrNull package var oldestWaitingAt: Date?
    package let tags: Int64
    /// Slots given out in all tags: about as many as there are credentials.
    package let credentials: Int64
    /// Second credentials that are not deleted yet.
    package let extra: Int64
    package let quarantined: Int64
    /// Deliveries of the tenant's own sources that were refused in these hours; they are counted for 14 days.
    package let refused: Int64
    /// Sums over the last hours that were asked for, and each hour of them, or each day. The first and the last may be
    /// a part of one.
    package let total: Hour
    package let step: Step
    package let hours: [Hour]

    /// More hours than `Summaries.mostByHour` are told by day, in UTC: so many hours fill no page, and take long to
    /// write.
    package enum Step: String, Sendable, Codable, Equatable {
        case hour, day
    }

    /// What was counted in one hour, in one day, or in all of them.
    package struct Hour: Sendable, Codable, Equatable {
        package var hour: Date
        package var accepted: Int64 = 0
        package var duplicate: Int64 = 0
        package var superseded: Int64 = 0
        package var ignored: Int64 = 0
        package var quarantined: Int64 = 0
        package var ready: Int64 = 0
        package var failed: Int64 = 0
        package var revoked: Int64 = 0
        /// Users who became ready, by the time from the event to the credential; see `Summary.bounds`.
        package var latency: [Int64] = Array(repeating: 0, count: 17)

        package init(hour: Date) { self.hour = hour }
    }

    /// The upper bounds of the latencies in milliseconds; the last has none.
    package static let bounds = [
        1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000,
    ]

    enum CodingKeys: String, CodingKey {
        case tenant, waiting, failed, removing, tags, credentials, extra, quarantined, refused, total, step, hours
        case asOf = "as_of"
        case oldestWaitingAt = "oldest_waiting_at"
    }
}

extension KeyedDecodingContainer {
    /// A service that does not say it tells hours. Synthesised code prefers this form to the general one.
    func decode(_ type: Summary.Step.Type, forKey key: Key) throws -> Summary.Step {
        try self.decodeIfPresent(type, forKey: key) ?? .hour
    }
}

package struct Summaries: Sendable {
    private let reads: TenantReads

    package init(reads: TenantReads) { self.reads = reads }

    /// Hours that may be asked for: so long they are kept.
    package static let mostHours = 90 * 24
    /// Hours that are told one by one: two weeks.
    package static let mostByHour = 14 * 24

    /// Returns the summary of the last `hours` hours; nil when there is no such tenant.
    package func show(_ tenant: TenantID, hours: Int, as reader: Reader) async throws -> Summary? {
        let hours = min(max(hours, 1), Self.mostHours)
        let step: Summary.Step = hours > Self.mostByHour ? .day : .hour
        let rows = try await self.reads.rows(
            as: reader,
            [Self.now(tenant), Self.counted(tenant, hours: hours, by: step), Self.refused(tenant, hours: hours)])
        guard let row = rows[0].first else { return nil }
        var columns = row.columns
        let asOf: Date = try columns.next()
        let isWhole: Bool = try columns.next()
        let counts = try (0..<3).map { _ in Int(try columns.next(Int64.self)) }
        let (waiting, removing) = (
            UserCount(count: counts[0], exact: isWhole), UserCount(count: counts[1], exact: isWhole)
        )
        // A job that has died before may have been revived since, so not each of them is a user who failed.
        let failed = UserCount(count: min(counts[2], UserCount.most), exact: try columns.next())
        let oldest: Date? = try columns.next()
        let (tags, held): (Int64, Int64) = (try columns.next(), try columns.next())
        let (extra, quarantined): (Int64, Int64) = (try columns.next(), try columns.next())
        var total = Summary.Hour(hour: asOf)
        let each = try rows[1].map { row in
            let hour = try Self.hour(row)
            total.add(hour)
            return hour
        }
        if let first = each.first { total.hour = first.hour }
        return Summary(
            tenant: tenant.rawValue, asOf: asOf, waiting: waiting, failed: failed, removing: removing,
            oldestWaitingAt: oldest, tags: tags, credentials: held, extra: extra, quarantined: quarantined,
            refused: try rows[2].first?.decode(Int64.self) ?? 0, total: total, step: step, hours: each)
    }

    /// Each count goes over an index of few rows, and stops at 10,001. Indexes jobs_tenant_id_user_id_key,
    /// jobs_dead_user, tenant_tags_pkey, surplus_user and quarantine_open.
    private static func now(_ tenant: TenantID) -> SQL {
        """
        with jobs as materialized (
            select one.user_id, one.state, one.enqueued_at from dialtone.jobs one
            where one.tenant_id = \(tenant) order by one.user_id limit \(UserCount.most + 1)),
        asked as materialized (
            select jobs.enqueued_at, owner.status from jobs cross join lateral (
                select status from dialtone.users
                where users.tenant_id = \(tenant) and users.user_id = jobs.user_id offset 0) owner
            where jobs.state <> 'dead'),
        dead as materialized (
            select one.user_id from dialtone.jobs one
            where one.tenant_id = \(tenant) and one.deaths is not null
            order by one.user_id limit \(UserCount.most + 1)),
        failed as materialized (
            select 1 from dead cross join lateral (
                select status from dialtone.users
                where users.tenant_id = \(tenant) and users.user_id = dead.user_id offset 0) owner
            where owner.status = 'failed')
        select clock_timestamp(), (select count(*) from jobs) <= \(UserCount.most),
               (select count(*) from asked where status = 'pending'),
               (select count(*) from asked where status = 'revoking'), (select count(*) from failed),
               (select count(*) from dead) <= \(UserCount.most),
               (select min(enqueued_at) from asked where status = 'pending'),
               (select count(*) from dialtone.tenant_tags where tenant_id = \(tenant)),
               (select coalesce(sum(held), 0)::bigint from dialtone.tenant_tags where tenant_id = \(tenant)),
               (select count(*) from (
                    select 1 from dialtone.surplus
                    where surplus.tenant_id = \(tenant) and deleted_at is null limit \(UserCount.most + 1)) extra),
               (select count(*) from dialtone.sources sender cross join lateral (
                    select 1 from dialtone.quarantine
                    where quarantine.source_id = sender.source_id and quarantine.settled_at is null
                    limit \(UserCount.most + 1)) open
                where sender.tenant_id = \(tenant))
        from dialtone.tenants where tenants.tenant_id = \(tenant)
        """
    }

    /// The beginning of the first of so many hours, the present one among them.
    private static func start(_ hours: Int) -> SQL {
        "date_trunc('hour', now(), 'UTC') - \(hours - 1) * interval '1 hour'"
    }

    /// The primary key of tenant_minutes: 48 hours of minutes and 90 days of hours at most, each row read once. An hour
    /// that is rolled up is there once.
    private static func counted(_ tenant: TenantID, hours: Int, by step: Summary.Step) -> SQL {
        """
        select date_trunc(\(step.rawValue), bucket, 'UTC') as step, sum(accepted), sum(duplicate), sum(superseded),
               sum(ignored), sum(quarantined), sum(ready), sum(failed), sum(revoked), array[\(Self.latencies)]
        from dialtone.tenant_minutes
        where tenant_id = \(tenant) and minutes in (1, 60) and bucket >= \(Self.start(hours))
        group by 1 order by 1
        """
    }

    /// A sum for each place: to unfold the arrays takes a row for each number of each minute.
    private static let latencies: SQL = {
        let sums = (1...Summary.bounds.count + 1).map { "sum(latency[\($0)])" }.joined(separator: ", ")
        return "\(unsafeText: sums)"
    }()

    /// The primary key of tally, by source: 336 hours of a reason at most. Index sources_slug, whole for the tenant.
    private static func refused(_ tenant: TenantID, hours: Int) -> SQL {
        """
        select coalesce(sum(told.count), 0)::bigint
        from (\(Senders.own(tenant).select)) sender
        cross join lateral (
            select tally.count from dialtone.tally
            where tally.source_id = sender.source_id and tally.minutes in (1, 60)
              and tally.bucket >= \(Self.start(hours)) and tally.outcome = 'refused' offset 0) told
        """
    }

    private static func hour(_ row: PostgresRow) throws -> Summary.Hour {
        var columns = row.columns
        var hour = Summary.Hour(hour: try columns.next())
        hour.accepted = try columns.next()
        hour.duplicate = try columns.next()
        hour.superseded = try columns.next()
        hour.ignored = try columns.next()
        hour.quarantined = try columns.next()
        hour.ready = try columns.next()
        hour.failed = try columns.next()
        hour.revoked = try columns.next()
        hour.latency = try columns.next()
        return hour
    }
}

extension Summary.Hour {
    fileprivate mutating func add(_ other: Self) {
        self.accepted += other.accepted
        self.duplicate += other.duplicate
        self.superseded += other.superseded
        self.ignored += other.ignored
        self.quarantined += other.quarantined
        self.ready += other.ready
        self.failed += other.failed
        self.revoked += other.revoked
        self.latency = zip(self.latency, other.latency).map(+)
    }
}
