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
            report.keptDeliveryIDs += try columns.next(Int64.self)
            place = try columns.next()
            if count < Self.pageSize { return report }
        }
    }

    private static let zero: uuid_t = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)

    /// Does one page. Returns its length, how many events named the person, how many keep a delivery id that does, and
    /// its last id; no row when it is empty.
    ///
    /// Locks the events that it changes, by key, and then their effects. Indexes events_pkey, people_pkey,
    /// memberships_pkey, sources_pkey and effects_pkey.
    private func page(after place: EventID) -> SQL {
        """
        with page as materialized (
            select events.event_id, events.source_id, events.tenant_id, events.user_id, events.delivery_id
            from dialtone.events where events.event_id > \(place)
            order by events.event_id limit \(Self.pageSize)),
        named as materialized (
            select page.event_id, sender.signs_time, strpos(page.delivery_id, page.user_id) > 0 as is_telling
            from page left join lateral (
                select sources.signs_time from dialtone.sources
                where sources.source_id = page.source_id offset 0) sender on true
            where page.user_id = \(self.user.user) and (page.tenant_id = \(self.user.tenant) or \(self.isForgotten))),
        unnamed as (
            update dialtone.events
            set user_id = null, wanted = null, outcome = 'ignored', detail = 'erased',
                delivery_id = case when event_id = any(array(
                    select event_id from named where is_telling and signs_time)) then 'erased:' || event_id
                    else delivery_id end
            where event_id = any(array(select event_id from named))),
        undone as (
            delete from dialtone.effects
            where event_id = any(array(select event_id from page where user_id = \(self.user.user)))
              and tenant_id = \(self.user.tenant))
        select count(*) over (), (select count(*) from named),
               (select count(*) from named where is_telling and signs_time is not true), event_id
        from page order by event_id desc limit 1
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
