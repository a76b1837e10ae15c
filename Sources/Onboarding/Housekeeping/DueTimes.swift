// SPDX-License-Identifier: Apache-2.0
// Due times that the database's clock has left far ahead, when it went back, are brought near again.

import Postgres

/// Each statement cuts what is due later than twice its longest pause. Nothing else sets such a time, so the clock was
/// ahead when it was written. An early visit or look harms nothing.
///
/// Times that say what may be believed, such as `quiet_until`, stay as they are: waiting too long is safe.
enum DueTimes {
    /// Rows of one statement. The next ones follow an hour later; until then they wait as long as they would.
    static let limit = 10_000

    /// `interval`: the least time between two visits of a tag. Each statement is a transaction by itself.
    static func cut(interval: Duration) -> [SQL] {
        [self.tags(interval), self.doubts, self.surplus, self.walk, self.jobs]
    }

    /// Spreads the tags over a period, as they were. Index tenant_tags_due; rows that another has locked are left alone.
    private static func tags(_ interval: Duration) -> SQL {
        """
        with pace as materialized (\(DueTag.pace(interval: interval))),
        far as materialized (
            select tenant_id, shard from dialtone.tenant_tags
            -- A tag whose total nothing explains is listed daily.
            where due_at > clock_timestamp() + 2.5 * (select greatest(period, interval '1 day') from pace)
            limit \(Int64(Self.limit)) for no key update skip locked)
        update dialtone.tenant_tags tag set due_at = clock_timestamp() + random() * pace.period
        from far, pace where tag.tenant_id = far.tenant_id and tag.shard = far.shard
        """
    }

    /// A name waits for eight hours at most. Index doubts_due.
    private static let doubts: SQL = """
        update dialtone.doubts set due_at = clock_timestamp()
        where ctid = any(array(
            select ctid from dialtone.doubts where due_at > clock_timestamp() + interval '16 hours'
            limit \(Int64(Self.limit)) for no key update skip locked))
        """

    /// Surplus waits for ten minutes at most. Index surplus_due.
    private static let surplus: SQL = """
        update dialtone.surplus set due_at = clock_timestamp()
        where ctid = any(array(
            select ctid from dialtone.surplus
            where deleted_at is null and due_at > clock_timestamp() + interval '20 minutes'
            limit \(Int64(Self.limit)) for no key update skip locked))
        """

    /// A round of the walk begins a day after the one before.
    private static let walk: SQL = """
        update dialtone.account_walk
        set due_at = clock_timestamp(), started_at = least(started_at, clock_timestamp())
        where due_at > clock_timestamp() + interval '2 days'
        """

    /// A job in doubt waits for half an hour at most, after a pause that the provider asked for. Index jobs_in_doubt.
    private static let jobs: SQL = """
        update dialtone.jobs set run_at = clock_timestamp()
        where state = 'in_doubt' and ctid = any(array(
            select ctid from dialtone.jobs
            where state = 'in_doubt' and run_at > clock_timestamp() + interval '1 hour'
            limit \(Int64(Self.limit)) for no key update skip locked))
        """
}
