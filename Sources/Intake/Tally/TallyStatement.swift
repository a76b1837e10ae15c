// SPDX-License-Identifier: Apache-2.0
// The statements that write what was not stored: counts are added up, and samples take the place of older ones.

import Foundation
import Model
import Postgres

enum TallyStatement {
    /// Adds the counts to their rows. Every node writes its own, so the rows have the sums.
    ///
    /// Index tally_pkey. Rows are locked in the key's order, those of minutes before those of hours. Housekeeping locks
    /// them in the same order, so that nobody waits in a circle.
    static func add(_ counts: [TallyCounts.Key: TallyCounts.Count]) -> SQL {
        let rows = counts.map { ($0.key, $0.value) }
        return """
            insert into dialtone.tally (source_id, minutes, bucket, outcome, reason, count, last_at, skew_ms)
            select source_id, minutes::smallint, to_timestamp(bucket), outcome, reason, count, last_at, skew_ms
            from unnest(
                \(rows.map(\.0.source)), \(rows.map(\.0.minutes)), \(rows.map(\.0.bucket)),
                \(rows.map(\.0.outcome.rawValue)), \(rows.map(\.0.reason)), \(rows.map(\.1.count)),
                \(rows.map(\.1.lastAt)), \(rows.map(\.1.skewMilliseconds)))
            as t (source_id, minutes, bucket, outcome, reason, count, last_at, skew_ms)
            order by minutes, source_id, bucket, outcome, reason collate "C"
            on conflict (source_id, minutes, bucket, outcome, reason) do update
            set count = tally.count + excluded.count,
                skew_ms = case when excluded.last_at >= tally.last_at or tally.skew_ms is null
                               then coalesce(excluded.skew_ms, tally.skew_ms) else tally.skew_ms end,
                last_at = greatest(tally.last_at, excluded.last_at)
            """
    }

    /// Returns the types that these sources have already. Index tally_pkey.
    static func types(of sources: [SourceID]) -> SQL {
        """
        select distinct source_id, reason from dialtone.tally
        where source_id = any(\(sources)) and outcome = 'ignored'
        """
    }

    /// Puts each sample into a free slot of its source and outcome, or in the place of the oldest. The newest comes
    /// first, so that of more than there are slots the oldest are left out. A minute that has a sample gets no second
    /// one from another node.
    ///
    /// Index samples_pkey, for each sample: a count cannot become a join that reads the table whole. Rows are locked in
    /// the key's order.
    static func keep(_ samples: [TallySample]) -> SQL {
        """
        with sample as (
            select *, row_number() over (partition by source_id, outcome order by at desc) as turn
            from unnest(
                \(samples.map(\.at)), \(samples.map(\.source)), \(samples.map(\.outcome.rawValue)),
                \(samples.map(\.reason)), \(samples.map(\.form.json)))
            as t (at, source_id, outcome, reason, form)
            where (select count(*) from dialtone.samples
                   where samples.source_id = t.source_id and samples.outcome = t.outcome
                     and date_trunc('minute', samples.at) = date_trunc('minute', t.at)) = 0)
        insert into dialtone.samples (at, source_id, slot, outcome, reason, form)
        select sample.at, sample.source_id, place.slot, sample.outcome, sample.reason, sample.form::json
        from sample cross join lateral (
            select free.slot, row_number() over (order by samples.at nulls first, free.slot) as turn
            from generate_series(0, \(Int32(TallySamples.maximumKept - 1))) as free (slot)
            left join dialtone.samples on samples.source_id = sample.source_id
                and samples.outcome = sample.outcome and samples.slot = free.slot) place
        where place.turn = sample.turn
        order by sample.source_id, sample.outcome, place.slot
        on conflict (source_id, outcome, slot) do update
        set at = excluded.at, reason = excluded.reason, form = excluded.form
        where samples.at < excluded.at
        """
    }
}
