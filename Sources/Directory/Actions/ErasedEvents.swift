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

    /// Goes over the events from about `start` on, or over all of them, to the newest. A page that is a deadlock's
    /// victim, or meets an event that intake stores just then, is tried again `repeats` times.
    ///
    /// Cancelled here: the pages before are done, unless the connection's transaction is rolled back.
    func unname(
        from start: Date?, repeats: Int = 0, on connection: PostgresConnection
    ) async throws -> UserErasure.Report {
        var report = UserErasure.Report()
        var place = start.map { EventID(at: $0) } ?? EventID(rawValue: UUID(uuid: Self.zero))
        while true {
            guard let row = try await self.run(self.page(after: place), repeats, on: connection) else { return report }
            var columns = row.columns
            let count: Int64 = try columns.next()
            report.events += try columns.next(Int64.self)
            place = try columns.next()
            if count < Self.pageSize { return report }
        }
    }

    private func run(
        _ page: SQL, _ repeats: Int, on connection: PostgresConnection
    ) async throws(PostgresError) -> PostgresRow? {
        for _ in 0..<repeats {
            do throws(PostgresError) {
                return try await connection.query(page).first
            } catch {
                guard error.isBeaten else { throw error }
            }
        }
        return try await connection.query(page).first
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
        told as materialized (\(self.told)),
        changed as (
            update dialtone.events
            set user_id = case when not told.is_named then events.user_id end,
                wanted = case when not told.is_named then events.wanted end,
                outcome = case when told.is_named then 'ignored' else events.outcome end,
                detail = case when told.is_named then 'erased' else events.detail end,
                sent_id = null, delivery_id = \(Self.newID)
            from told
            where events.event_id = any(array(select event_id from told)) and events.event_id = told.event_id),
        undone as (
            delete from dialtone.effects
            where event_id = any(array(select event_id from page where user_id = \(self.user.user)))
              and tenant_id = \(self.user.tenant))
        select count(*) over (), (select count(*) from named), event_id from page order by event_id desc limit 1
        """
    }

    // MARK: Delivery ids

    /// The events that change: those that named the person, and of their deliveries those that have the sender's id.
    /// `is_telling`: a hash takes the place of the delivery's id. `is_taken`: the ledger has that hash already.
    ///
    /// The delivery's id goes where it holds the person's, and from old events of a source that signs no time. There it
    /// is the hash under which the delivery is known when it comes again. A sender may have used one id for two events:
    /// the second delivery has the same id and a suffix, so it is of the same sender's id.
    private var told: SQL {
        """
        select one.event_id, one.delivery_id, one.hash, one.is_named, one.is_telling,
               one.is_telling and exists (
                   select 1 from dialtone.events hidden
                   where hidden.source_id = one.source_id and hidden.delivery_id = one.hash offset 0) as is_taken
        from (
            select line.event_id, line.source_id, line.delivery_id, line.sent_id,
                   \(DeliveryHash.of("delivery.sent", from: "line.source_id"))
                       || substr(line.delivery_id, length(delivery.sent) + 1) as hash,
                   line.event_id in (select event_id from named) as is_named,
                   not \(DeliveryHash.isHash("line.delivery_id"))
                       and (sender.signs_time is false or \(self.isNamed(in: "line.delivery_id"))) as is_telling
            from (\(Self.deliveries)) delivery
            left join lateral (
                select sources.signs_time from dialtone.sources
                where sources.source_id = delivery.source_id offset 0) sender on true
            cross join lateral (
                select events.event_id, events.source_id, events.delivery_id, events.sent_id from dialtone.events
                where events.source_id = delivery.source_id and events.delivery_id = delivery.sent
                union all
                select events.event_id, events.source_id, events.delivery_id, events.sent_id from dialtone.events
                where events.source_id = delivery.source_id
                  and events.delivery_id > delivery.sent || '#' and events.delivery_id < delivery.sent || '$'
                  and length(events.delivery_id) = length(delivery.sent) + 33
                offset 0) line
            offset 0) one
        where one.is_named or one.is_telling or one.sent_id is not null
        """
    }

    /// The deliveries by the ids without intake's suffix. A sender's own id may have the form of one with a suffix, and
    /// the ledger has no other delivery of its front then.
    private static let deliveries: SQL = """
        select distinct one.source_id,
               case when exists (
                   select 1 from dialtone.events base
                   where base.source_id = one.source_id and one.front <> one.delivery_id
                     and base.delivery_id in (one.front, \(DeliveryHash.of("one.front", from: "one.source_id")))
                   offset 0) then one.front else one.delivery_id end as sent
        from (select source_id, delivery_id, regexp_replace(delivery_id, '#[0-9a-f]{32}$', '') as front
              from named offset 0) one
        offset 0
        """

    /// Also as a part of an id that a mapping has made of several values, which is JSON.
    private func isNamed(in id: SQL) -> SQL {
        let name = self.user.user.rawValue
        let escaped = String(JSONText.visible(JSONText.quoted(name)).dropFirst().dropLast())
        return "(strpos(\(id), \(name)) > 0 or strpos(\(id), \(escaped)) > 0)"
    }

    /// An id that intake has changed meanwhile is a hash by now, and stays. All events of a delivery have one id,
    /// unless the ledger has the delivery twice.
    private static let newID: SQL = """
        case when not told.is_telling or events.delivery_id <> told.delivery_id then events.delivery_id
             when told.is_taken then 'erased:' || events.event_id
             else told.hash end
        """

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

extension PostgresError {
    /// Somebody else was faster: a new try sees what they did.
    var isBeaten: Bool { self.isRetryable || self.isUniqueViolation }
}
