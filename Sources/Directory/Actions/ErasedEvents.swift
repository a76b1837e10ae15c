// SPDX-License-Identifier: Apache-2.0
// The events that name a person become guards that name nobody: a walk over the ledger, a page at a time.

import Foundation
import Model
import Postgres

/// A row that is left says that the delivery was taken: `ignored`, with the detail 'erased'. When its sender repeats the
/// delivery, it is told `duplicate`.
struct ErasedEvents {
    let user: UserKey

    private static let pageSize: Int64 = 10_000

    /// Goes over the events from about `start` on, or over all of them, to the newest.
    ///
    /// Cancelled here: the pages before are done, unless the connection's transaction is rolled back.
    func unname(from start: Date?, on connection: PostgresConnection) async throws -> UserErasure.Report {
        var report = UserErasure.Report()
        var place = start.map { EventID(at: $0) } ?? EventID(rawValue: UUID(uuid: Self.zero))
        while true {
            guard let row = try await connection.query(self.page(after: place)).first else { return report }
            var columns = row.columns
            let count: Int64 = try columns.next()
            report.events += try columns.next(Int64.self)
            place = try columns.next()
            if count < Self.pageSize { return report }
        }
    }

    private static let zero: uuid_t = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)

    /// Does one page. Returns its length, how many events named the person, and its last id; no row when it is empty.
    ///
    /// Locks the events that it changes, those of other people in the same deliveries too, and then their effects.
    /// Indexes events_pkey, the ledger's unique key, people_pkey, memberships_pkey, sources_pkey and effects_pkey.
    private func page(after place: EventID) -> SQL {
        """
        with page as materialized (
            select events.event_id, events.source_id, events.tenant_id, events.user_id, events.delivery_id
            from dialtone.events where events.event_id > \(place)
            order by events.event_id limit \(Self.pageSize)),
        named as materialized (
            select page.event_id, page.source_id, page.delivery_id from page
            where page.user_id = \(self.user.user) and (page.tenant_id = \(self.user.tenant) or \(self.isForgotten))),
        telling as materialized (\(self.telling)),
        unnamed as (
            update dialtone.events
            set user_id = null, wanted = null, outcome = 'ignored', detail = 'erased', delivery_id = \(self.newID)
            where event_id = any(array(select event_id from named))),
        beside as (
            update dialtone.events set delivery_id = \(self.newID)
            where event_id = any(array(select event_id from telling except select event_id from named))),
        undone as (
            delete from dialtone.effects
            where event_id = any(array(select event_id from page where user_id = \(self.user.user)))
              and tenant_id = \(self.user.tenant))
        select count(*) over (), (select count(*) from named), event_id from page order by event_id desc limit 1
        """
    }

    // MARK: Delivery ids

    /// All events of deliveries whose ids name the person, and whether a hash takes the place of the id. The hash still
    /// guards against a replay, which is needed where the source signs no time. It is not needed, and would not be met,
    /// where the source signs one, and where intake has stored the delivery under it again.
    private var telling: SQL {
        """
        select one.event_id, delivery.is_guard
        from (select told.source_id, told.delivery_id,
                     sender.signs_time is not true and not exists (
                         select 1 from dialtone.events
                         where events.source_id = told.source_id
                           and events.delivery_id = \(DeliveryHash.of("told.delivery_id", from: "told.source_id"))
                         offset 0) as is_guard
              from (select distinct source_id, delivery_id from named
                    where strpos(delivery_id, \(self.user.user)) > 0 offset 0) told
              left join lateral (
                  select sources.signs_time from dialtone.sources
                  where sources.source_id = told.source_id offset 0) sender on true offset 0) delivery
        cross join lateral (
            select events.event_id from dialtone.events
            where events.source_id = delivery.source_id and events.delivery_id = delivery.delivery_id offset 0) one
        """
    }

    /// An id that intake has changed meanwhile names the person no more, and stays.
    private var newID: SQL {
        """
        case when strpos(delivery_id, \(self.user.user)) = 0 then delivery_id
             when event_id = any(array(select event_id from telling where is_guard))
             then \(DeliveryHash.of("delivery_id", from: "source_id"))
             when event_id = any(array(select event_id from telling)) then 'erased:' || event_id
             else delivery_id end
        """
    }

    /// A word of a source that speaks of people may name the person under another tenant, or under none. It goes when
    /// no other organisation of that source has the person.
    private var isForgotten: SQL {
        """
        exists (select 1 from dialtone.people
                where people.source_id = page.source_id and people.external_user = page.user_id offset 0)
        and not exists (select 1 from dialtone.memberships
                        where memberships.source_id = page.source_id and memberships.external_user = page.user_id
                          and memberships.tenant_id is distinct from \(self.user.tenant) offset 0)
        """
    }
}
