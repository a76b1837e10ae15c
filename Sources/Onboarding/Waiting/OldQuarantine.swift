// SPDX-License-Identifier: Apache-2.0
// Events that nobody has settled in time: their bodies and what was read of them are cleared, a page at a time.

import Postgres

/// Personal data is not kept without an end. The event stays in the ledger, and its sender may still send it again.
enum OldQuarantine {
    /// Ends the oldest rows of the next page that are older than `life`. Returns one row: how many there were.
    ///
    /// Locks the rows first and skips those that intake settles just now. Index quarantine_open, entered once for each
    /// source. A locked row does not move, so it is found again by its place (`ctid`).
    static func end(after life: Duration, limit: Int64) -> SQL {
        """
        with due as materialized (
            select aged.place from dialtone.sources source
            cross join lateral (
                select quarantine.ctid as place from dialtone.quarantine
                where quarantine.source_id = source.source_id and quarantine.settled_at is null
                  and quarantine.arrived_at <= statement_timestamp() - \(life)
                order by quarantine.arrived_at limit \(limit)
                for update of quarantine skip locked) aged
            limit \(limit)),
        ended as (
            update dialtone.quarantine
            set settled_at = statement_timestamp(), settled_by = 'expired', sealed = null, picks = null
            where ctid = any(array(select place from due)))
        select count(*) from due
        """
    }
}
