// SPDX-License-Identifier: Apache-2.0
// Counts of tenants: minutes become hours after 48 hours, and hours are forgotten after 90 days.

import Counts
import Postgres

/// A tenant has 2,880 rows of minutes and 2,112 of hours at most, and as many more as housekeeping is late.
enum OldMinutes {
    /// Adds the oldest minutes of the next page to their hours. Returns one row: how many minutes there were.
    ///
    /// Locks the minutes first and skips those that a node adds to just now. Hours are locked in the key's order; nodes
    /// write minutes alone. Indexes tenant_minutes_age and tenant_minutes_pkey. A locked row does not move, so it is
    /// found again by its place (`ctid`).
    static func roll(limit: Int64) -> SQL {
        """
        with due as materialized (\(Self.aged(minutes: 1, over: "48 hours", limit: limit))),
        gone as (delete from dialtone.tenant_minutes where ctid = any(array(select place from due))),
        rolled as (
            insert into dialtone.tenant_minutes (
                tenant_id, minutes, bucket, accepted, duplicate, superseded, ignored, quarantined, ready, failed,
                revoked, latency)
            select tenant_id, 60, date_trunc('hour', bucket, 'UTC') as hour, sum(accepted), sum(duplicate),
                   sum(superseded), sum(ignored), sum(quarantined), sum(ready), sum(failed), sum(revoked),
                   array[\(unsafeText: Self.latencySums)]
            from due
            group by tenant_id, hour
            order by tenant_id, hour
            on conflict (tenant_id, minutes, bucket) do update set \(TenantMinutes.sums))
        select count(*) from due
        """
    }

    /// Deletes the oldest hours of the next page. Returns one row: how many there were. Locks and index as `roll`.
    static func forget(limit: Int64) -> SQL {
        """
        with due as materialized (\(Self.aged(minutes: 60, over: "90 days", limit: limit))),
        gone as (delete from dialtone.tenant_minutes where ctid = any(array(select place from due)))
        select count(*) from due
        """
    }

    private static let latencySums = (1...LatencyBuckets.count)
        .map { "sum(latency[\($0)])::integer" }.joined(separator: ", ")

    private static func aged(minutes: Int32, over age: String, limit: Int64) -> SQL {
        """
        select tenant_minutes.ctid as place, tenant_minutes.* from dialtone.tenant_minutes
        where tenant_minutes.minutes = \(minutes)::smallint
          and tenant_minutes.bucket < statement_timestamp() - \(age)::interval
        order by tenant_minutes.bucket limit \(limit)
        for update skip locked
        """
    }
}
