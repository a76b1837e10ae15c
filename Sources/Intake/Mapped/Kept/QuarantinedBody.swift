// SPDX-License-Identifier: Apache-2.0
// One body serves all rows of its request: who settles one of them hands the body on to another that is open.

import Model
import Postgres

/// These statements stand in the transaction that settles. Two settlements of one request come one after the other, so
/// the second sees which rows the first has left.
enum QuarantinedBody {
    /// Locks the first row of each request that these events came with, in key order. Returns no row.
    ///
    /// It is a statement of its own and the transaction's first: what follows decides by what was committed under the
    /// lock. Housekeeping skips a row that is locked. Index quarantine_pkey.
    static func lock(of events: [EventID]) -> SQL {
        """
        select 1 from (
            select event_id from dialtone.quarantine
            where event_id = any(array(
                select coalesce(body_id, event_id) from dialtone.quarantine where event_id = any(\(events))))
            order by event_id for update) locked
        having count(*) < 0
        """
    }

    /// Ends the notes of those of these events that are settled. The statement that settles them may not see a note: it
    /// is written after its event, and may be committed while that statement waits for the event. Indexes events_pkey and
    /// quarantine_pkey.
    static func end(settled events: [EventID], by settlement: Settlement) -> SQL {
        """
        update dialtone.quarantine
        set settled_at = statement_timestamp(), settled_by = \(settlement), picks = null
        where settled_by is null and event_id = any(array(
            select told.event_id from unnest(\(events)) as told (event_id)
            cross join lateral (
                select events.outcome from dialtone.events where events.event_id = told.event_id offset 0) event
            where event.outcome <> 'quarantined'))
        """
    }

    /// Takes the body from those of these events that are settled. The last open row of the same request gets it.
    ///
    /// The last one: rows are settled from the first to the last, as a rule, and the body then moves once. Indexes
    /// quarantine_pkey and quarantine_body. `settled_by is null` says the same as `settled_at is null`, and leads no plan
    /// to a walk through an index of the open rows.
    static func handOn(from events: [EventID]) -> SQL {
        """
        with holder as materialized (
            select event_id, body_id, sealed from dialtone.quarantine
            where event_id = any(\(events)) and settled_at is not null and sealed is not null),
        heir as materialized (
            select next.event_id, holder.sealed
            from holder cross join lateral (
                select quarantine.event_id from dialtone.quarantine
                where quarantine.body_id = holder.body_id and quarantine.settled_at is null
                order by quarantine.event_id desc limit 1) next),
        handed_on as (
            update dialtone.quarantine
            set sealed = (select heir.sealed from heir where heir.event_id = quarantine.event_id limit 1)
            where event_id = any(array(select event_id from heir)) and settled_by is null)
        update dialtone.quarantine set sealed = null where event_id = any(array(select event_id from holder))
        """
    }

    /// Returns the body of a request, from whichever of its open rows has it. Index quarantine_body.
    static func find(_ body: EventID) -> SQL {
        """
        select sealed from dialtone.quarantine
        where body_id = \(body) and settled_at is null and sealed is not null limit 1
        """
    }
}
