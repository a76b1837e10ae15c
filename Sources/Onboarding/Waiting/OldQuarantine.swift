// SPDX-License-Identifier: Apache-2.0
// Events that nobody has settled in time: their bodies and what was read of them are cleared, a page at a time.

import Postgres

/// Personal data is not kept without an end. The event stays in the ledger, and its sender may still send it again.
enum OldQuarantine {
    /// Ends the oldest rows of the next page that are older than `life`. Returns one row: how many there were.
    ///
    /// Locks the rows first and skips those that intake settles just now. Index quarantine_open, entered once for each
    /// source; then as `due`. A locked row does not move, so it is found again by its place (`ctid`).
    static func end(after life: Duration, limit: Int64) -> SQL {
        """
        with aged as materialized (
            select aged.place, aged.event_id from dialtone.sources source
            cross join lateral (
                select quarantine.ctid as place, quarantine.event_id from dialtone.quarantine
                where quarantine.source_id = source.source_id and quarantine.settled_at is null
                  and quarantine.arrived_at <= statement_timestamp() - \(life)
                order by quarantine.arrived_at limit \(limit)
                for update of quarantine skip locked) aged
            limit \(limit)),
        \(Self.due),
        ended as (
            update dialtone.quarantine
            set settled_at = statement_timestamp(), settled_by = 'expired', sealed = null, picks = null
            where ctid = any(array(select place from due)))
        select count(*) from due
        """
    }

    /// Those of the rows `aged` whose events nobody else holds: intake locks an event before its note. The events lose
    /// the sender's id of their delivery. They name no user, so no erasure would find what that id may name. An older
    /// version may have left a row without an event. Index events_pkey.
    static let due: SQL = """
        due as materialized (
            select aged.place, aged.event_id from aged
            left join lateral (
                select events.event_id from dialtone.events where events.event_id = aged.event_id
                for no key update of events skip locked) event on true
            where event.event_id is not null or not exists (
                select 1 from dialtone.events where events.event_id = aged.event_id offset 0)),
        forgotten as (
            update dialtone.events set sent_id = null
            where event_id = any(array(select event_id from due)) and sent_id is not null and user_id is null)
        """
}
