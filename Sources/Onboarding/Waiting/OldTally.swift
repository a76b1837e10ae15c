// SPDX-License-Identifier: Apache-2.0
// Counts of what was not stored: minutes become hours after two hours, and hours are forgotten after 14 days.

import Postgres

/// A source and reason has 120 rows of minutes and 336 of hours at most, and as many more as housekeeping is late.
enum OldTally {
    /// Adds the oldest minutes of the next page to their hours. Returns one row: how many minutes there were.
    ///
    /// Locks the minutes first and skips those that a node adds to just now. Hours are locked in the key's order, after
    /// all minutes, as the nodes do it. A node that waits for a minute meanwhile makes it anew.
    /// Index tally_pkey, entered once for each source. A locked row does not move, so it is found again by its place
    /// (`ctid`).
    static func roll(limit: Int64) -> SQL {
        """
        with due as materialized (\(Self.aged(minutes: 1, over: "2 hours", limit: limit))),
        gone as (delete from dialtone.tally where ctid = any(array(select place from due))),
        rolled as (
            insert into dialtone.tally (source_id, minutes, bucket, outcome, reason, count, last_at, skew_ms)
            select source_id, 60, date_trunc('hour', bucket, 'UTC') as hour, outcome, reason, sum(count), max(last_at),
                   (array_agg(skew_ms order by last_at desc) filter (where skew_ms is not null))[1]
            from due
            group by source_id, hour, outcome, reason
            order by source_id, hour, outcome, reason
            on conflict (source_id, minutes, bucket, outcome, reason) do update
            set count = tally.count + excluded.count,
                skew_ms = case when excluded.last_at >= tally.last_at or tally.skew_ms is null
                               then coalesce(excluded.skew_ms, tally.skew_ms) else tally.skew_ms end,
                last_at = greatest(tally.last_at, excluded.last_at))
        select count(*) from due
        """
    }

    /// Deletes the oldest hours of the next page. Returns one row: how many there were. Locks and index as `roll`.
    static func forget(limit: Int64) -> SQL {
        """
        with due as materialized (\(Self.aged(minutes: 60, over: "14 days", limit: limit))),
        gone as (delete from dialtone.tally where ctid = any(array(select place from due)))
        select count(*) from due
        """
    }

    /// The sources, and the two rows that stand for none.
    private static func aged(minutes: Int32, over age: String, limit: Int64) -> SQL {
        """
        select aged.* from (
            select source_id from dialtone.sources
            union all values ('00000000-0000-0000-0000-000000000000'::uuid),
                             ('ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)) source
        cross join lateral (
            select tally.ctid as place, tally.source_id, tally.bucket, tally.outcome, tally.reason, tally.count,
                   tally.last_at, tally.skew_ms
            from dialtone.tally
            where tally.source_id = source.source_id and tally.minutes = \(minutes)::smallint
              and tally.bucket < statement_timestamp() - \(age)::interval
            order by tally.bucket limit \(limit)
            for update of tally skip locked) aged
        limit \(limit)
        """
    }
}
