// SPDX-License-Identifier: Apache-2.0
// What an event has come to by now: a person who waited when it came may wait still, or not.

import Model
import Postgres

enum ToldSelect {
    /// The outcome of an event as the tenant is told. `row` has the columns of `events`.
    ///
    /// Of few events the detail says that the person waited, so the function is asked for few.
    static func outcome(_ row: String, _ tenant: TenantID) -> SQL {
        """
        case when \(unsafeText: row).detail = 'waits'
                  and dialtone.still_waits(\(tenant), \(unsafeText: row).source_id, \(unsafeText: row).user_id)
             then 'waiting' else \(unsafeText: row).outcome end
        """
    }

    /// People whose events a page may ask for one by one.
    static let mostPeople = 300

    /// The events that told of people who wait now. Where more people wait than `mostPeople`, the newest of the tenant,
    /// of which the caller picks.
    ///
    /// Of each person come the newest ten that `bounds` let through, so a page is bounded. A person with ten may have
    /// more. Then nothing older than its tenth is told yet, `is_cut` says so, and the next page begins there.
    ///
    /// The number decides which part runs, and the other is left out. Both are in the order of ids, so a cursor of one
    /// holds in the other. A person who waits has few events. Indexes people_waiting with events_user, or
    /// events_tenant. `bounds` names the columns of `events`.
    static func ofWaiting(in tenant: TenantID, _ bounds: SQL, limit: Int) -> SQL {
        """
        with person as materialized (
            select * from dialtone.who_waits(\(tenant), \(Self.mostPeople + 1))),
        told as materialized (
            select events.* from person
            cross join lateral (
                select * from dialtone.events
                where events.tenant_id = \(tenant) and events.user_id = person.user_id and \(ListIndex.eventsOfUser)
                  and events.source_id = person.source_id and events.detail = 'waits' and \(bounds)
                order by events.received_at desc limit 10) events
            where (select count(*) from person) <= \(Self.mostPeople)),
        tenth as (
            select (array_agg(event_id order by event_id))[1] as event_id from told
            group by source_id, user_id having count(*) = 10),
        edge as (select (array_agg(event_id order by event_id desc))[1] as event_id from tenth)
        select * from (
            (select told.*, edge.event_id is not null as is_cut from told, edge
             where edge.event_id is null or told.event_id >= edge.event_id
             order by told.event_id desc limit \(limit))
            union all
            (select *, false from dialtone.events
             where (select count(*) from person) > \(Self.mostPeople)
               and events.tenant_id = \(tenant) and \(ListIndex.eventsOfTenant) and \(bounds)
             order by events.event_id desc limit \(limit))) events
        """
    }
}
