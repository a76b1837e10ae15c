// SPDX-License-Identifier: Apache-2.0
// Events that changed nothing go after their time, where the sender's proof refuses a replay: a walk, a page at a time.

import Foundation
import Model
import Postgres

/// An event is a guard against its own replay. It may go when two other guards hold. The source signs a time, so an old
/// delivery is refused; or its hook is gone. And the event has a time of its own, so that the sender's own repetition
/// is judged by the user's line and changes nothing.
///
/// What was accepted stays: it is why a user stands where it stands. So does what facts, quarantine or effects name. A
/// delivery goes as a whole, because nothing is added later to a delivery that the ledger knows.
enum OldEvents {
    /// Where the walk stands; the first place is before all events.
    struct Place: Sendable {
        var receivedAt = Date(timeIntervalSince1970: 0)
        var event = EventID(rawValue: UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)))
    }

    private static let pageSize: Int64 = 500

    /// Deletes those of the next page that may go. Returns one row: how many rows the page had, how many went, and the
    /// time and the id of its last one; no row when the page is empty.
    ///
    /// Locks the events and skips those that another transaction holds. An event that changed nothing never becomes one
    /// that did, so the lock asks for its id alone: with the index's own condition it would walk events_old. Indexes
    /// events_old, events_pkey, and each of the keys below. A locked row does not move, so it is found again by its
    /// place (`ctid`).
    static func forget(after life: Duration, from place: Place) -> SQL {
        """
        with page as materialized (
            select event.event_id, event.source_id, event.delivery_id, event.received_at from dialtone.events event
            where \(Self.changedNothing("event")) and event.received_at < statement_timestamp() - \(life)
              and (event.received_at, event.event_id) > (\(place.receivedAt), \(place.event))
            order by event.received_at, event.event_id limit \(Self.pageSize)),
        idle as materialized (
            select page.event_id from page
            where \(Self.cannotBeReplayed)
              and not exists (
                  select 1 from dialtone.events sibling
                  where sibling.source_id = page.source_id and sibling.delivery_id = page.delivery_id
                    and (not (\(Self.changedNothing("sibling")))
                         or sibling.received_at >= statement_timestamp() - \(life)
                         or \(Self.isNamed)) offset 0)),
        due as materialized (
            select locked.place from idle cross join lateral (
                select events.ctid as place from dialtone.events
                where events.event_id = idle.event_id
                for update of events skip locked) locked),
        gone as (delete from dialtone.events where ctid = any(array(select place from due)))
        select count(*) over (), (select count(*) from due), received_at, event_id
        from page order by received_at desc, event_id desc limit 1
        """
    }

    /// Returns where the next page begins: after this one, or before all events when this page was the last.
    static func nextPlace(after rows: PostgresRows) throws -> Place {
        guard var columns = rows.first?.columns else { return Place() }
        let count: Int64 = try columns.next()
        _ = try columns.next(Int64.self)
        guard count >= Self.pageSize else { return Place() }
        return Place(receivedAt: try columns.next(), event: try columns.next())
    }

    /// The condition of the index events_old, word for word.
    private static func changedNothing(_ row: String) -> SQL {
        """
        \(unsafeText: row).outcome in ('duplicate', 'superseded', 'ignored')
        and \(unsafeText: row).occurred_at is not null
        """
    }

    /// A deleted source whose end is done has a hook that no node believes. Primary key of sources.
    private static let cannotBeReplayed: SQL = """
        exists (select 1 from dialtone.sources source
                where source.source_id = page.source_id
                  and (source.signs_time or source.status = 'deleted' and source.stopped_at is null) offset 0)
        """

    /// Whether another row names the event as its reason. Indexes users_pkey, people_pkey, memberships_pkey,
    /// quarantine_pkey and effects_pkey.
    private static let isNamed: SQL = """
        exists (select 1 from dialtone.users owner
                where owner.tenant_id = sibling.tenant_id and owner.user_id = sibling.user_id
                  and owner.cause_id = sibling.event_id offset 0)
        or exists (select 1 from dialtone.people person
                   where person.source_id = sibling.source_id and person.external_user = sibling.user_id
                     and person.cause_id = sibling.event_id offset 0)
        or exists (select 1 from dialtone.memberships membership
                   where membership.source_id = sibling.source_id and membership.external_user = sibling.user_id
                     and membership.cause_id = sibling.event_id offset 0)
        or exists (select 1 from dialtone.quarantine waits where waits.event_id = sibling.event_id offset 0)
        or exists (select 1 from dialtone.effects did where did.event_id = sibling.event_id offset 0)
        """
}
