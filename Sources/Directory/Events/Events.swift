// SPDX-License-Identifier: Apache-2.0
// What a tenant's sources have said: lists of events, and one of them.

import Foundation
package import Model
import Postgres

package struct EventPage: Sendable {
    package let events: [ToldEvent]
    /// Where the next page begins; nil on the last page. A page may be short and have a next one, because a page looks
    /// through so many events only.
    package let next: String?
}

package struct Events: Sendable {
    private let reads: TenantReads

    package init(reads: TenantReads) { self.reads = reads }

    /// Events that a page looks through at most.
    static let window = 10_000
    /// The same where each may be asked whether its person waits still. No fewer than `ToldSelect.ofWaiting` may give.
    static let windowOfWaiting = 3000

    /// Returns the newest events first. Throws `InvalidValue` for a cursor of another list.
    package func page(
        of tenant: TenantID, _ filter: EventFilter, after cursor: String? = nil, limit: Int, as reader: Reader
    ) async throws -> EventPage {
        let list = "\(tenant) events \(filter.words)"
        let place = try cursor.map { try Self.place($0, of: list) }
        let rows = try await self.reads.rows(
            as: reader, [Self.select(of: tenant, filter, before: place, limit: limit + 1)])[0]
        var events: [ToldEvent] = []
        var next: String?
        for row in rows {
            var columns = row.columns
            let (number, end): (Int64, UUID?) = (try columns.next(), try columns.next())
            let isCut: Bool = try columns.next()
            let isLast = number < Self.window(filter, limit: limit + 1) && !isCut
            next = isLast ? nil : end.map { Self.cursor($0, of: list) }
            guard let id: UUID = try columns.next() else { break }
            if events.count == limit {
                next = events.last.flatMap { UUID(uuidString: $0.eventID) }.map { Self.cursor($0, of: list) }
                break
            }
            events.append(try Self.event(id, &columns))
        }
        return EventPage(events: events, next: next)
    }

    /// Returns one event; nil when the tenant has none of that id.
    package func show(_ id: EventID, of tenant: TenantID, as reader: Reader) async throws -> ToldEvent? {
        let one: SQL = """
            select events.event_id, \(Self.columns(tenant))
            from (select * from dialtone.events where event_id = \(id) offset 0) events \(Self.beside)
            where events.tenant_id = \(tenant)
            """
        guard var columns = try await self.reads.rows(as: reader, [one])[0].first?.columns else { return nil }
        return try Self.event(try columns.next(), &columns)
    }

    // MARK: Cursors

    private static func cursor(_ id: UUID, of list: String) -> String {
        ListCursor(list: list, place: [id.lowercase]).text
    }

    private static func place(_ cursor: String, of list: String) throws -> UUID {
        guard let id = UUID(uuidString: try ListCursor.place(cursor, of: list, count: 1)[0]) else {
            throw InvalidValue("after", "must be the next of an earlier page")
        }
        return id
    }

    // MARK: Statements

    /// Where every event passes, a page looks through no more than it shows.
    ///
    /// To pick outcomes is to ask of each event whose person waited once. In quarantine is none of those.
    private static func window(_ filter: EventFilter, limit: Int) -> Int {
        if filter.outcome == [.quarantined] { return Self.window }
        if !filter.outcome.isEmpty { return Self.windowOfWaiting }
        return filter.source == nil && filter.receivedAfter == nil && filter.receivedBefore == nil
            ? limit : Self.window
    }

    /// Each row holds the page's end too: how many events were looked through, the last of them, and whether more come
    /// although they are few. An event's id begins with the time of its arrival, so ids are in the order of time.
    static func select(of tenant: TenantID, _ filter: EventFilter, before place: UUID?, limit: Int) -> SQL {
        """
        with candidates as materialized (
            \(Self.candidates(of: tenant, filter, before: place, window: Self.window(filter, limit: limit)))),
        tail as (select count(*) as number, (array_agg(event_id order by event_id))[1] as event_id,
                        coalesce(bool_or(is_cut), false) as is_cut from candidates)
        select tail.number, tail.event_id, tail.is_cut, hit.*
        from tail left join lateral (
            select events.event_id as hit_id, \(Self.columns(tenant))
            -- In this order, so that no more are judged than are shown.
            from (select * from candidates order by event_id desc offset 0) events \(Self.beside)
            where events.tenant_id = \(tenant) and \(Self.passes(filter, tenant))
            order by events.event_id desc limit \(limit)) hit on true
        order by hit.hit_id desc
        """
    }

    /// Of one user by events_user, of people who wait by people_waiting while they are few, of what is in quarantine by
    /// quarantine_open, and else the newest of the tenant by events_tenant.
    private static func candidates(
        of tenant: TenantID, _ filter: EventFilter, before place: UUID?, window: Int
    ) -> SQL {
        var bounds: SQL = place.map { "events.event_id < \($0)" } ?? "true"
        if let time = filter.receivedAfter {
            bounds = "\(bounds) and events.event_id >= \(Self.lowest(at: time - Self.slack))"
        }
        if let time = filter.receivedBefore {
            bounds = "\(bounds) and events.event_id < \(Self.lowest(at: time + Self.slack))"
        }
        if let user = filter.user {
            return """
                select *, false as is_cut from dialtone.events
                where events.tenant_id = \(tenant) and events.user_id = \(user) and \(ListIndex.eventsOfUser)
                  and \(bounds)
                order by events.event_id desc limit \(window)
                """
        }
        if filter.outcome == [.waiting] { return ToldSelect.ofWaiting(in: tenant, bounds, limit: window) }
        if filter.outcome == [.quarantined] {
            // A source has ten thousand of them at most.
            return """
                select events.*, false as is_cut
                from (select source_id from dialtone.sources where sources.tenant_id = \(tenant) offset 0) sender
                cross join lateral (
                    select quarantine.event_id from dialtone.quarantine
                    where quarantine.source_id = sender.source_id and quarantine.settled_at is null
                    order by quarantine.arrived_at desc limit \(Self.window)) waiting
                cross join lateral (
                    select * from dialtone.events one where one.event_id = waiting.event_id offset 0) events
                where events.tenant_id = \(tenant) and \(bounds) order by events.event_id desc limit \(Self.window)
                """
        }
        return """
            select *, false as is_cut from dialtone.events
            where events.tenant_id = \(tenant) and \(ListIndex.eventsOfTenant) and \(bounds)
            order by events.event_id desc limit \(window)
            """
    }

    /// How far the time in an event's id and the time of its row may lie apart: a minute.
    private static let slack: TimeInterval = 60

    /// The lowest id that an event of this time can have (RFC 9562, UUIDv7: 48 bits of milliseconds come first).
    private static func lowest(at time: Date) -> UUID {
        let milliseconds = UInt64(min(max(time.timeIntervalSince1970 * 1000, 0), 281_474_976_710_655))
        let bytes = (0..<6).map { UInt8(truncatingIfNeeded: milliseconds >> UInt64(40 - 8 * $0)) }
        return UUID(uuid: (bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))
    }

    private static func passes(_ filter: EventFilter, _ tenant: TenantID) -> SQL {
        var parts: SQL = "true"
        if !filter.outcome.isEmpty {
            parts = "\(parts) and \(ToldSelect.outcome("events", tenant)) = any(\(filter.outcome.map(\.rawValue)))"
        }
        if let source = filter.source { parts = "\(parts) and sender.slug = \(source)" }
        if let time = filter.receivedAfter { parts = "\(parts) and events.received_at >= \(time)" }
        if let time = filter.receivedBefore { parts = "\(parts) and events.received_at < \(time)" }
        return parts
    }

    /// What `event` reads after the id.
    private static func columns(_ tenant: TenantID) -> SQL {
        """
        events.received_at, events.occurred_at, sender.slug, events.user_id,
        coalesce(events.sent_id, events.delivery_id), events.item, events.wanted,
        \(ToldSelect.outcome("events", tenant)), events.detail, waits.reason, waits.pointer
        """
    }

    /// Indexes sources_pkey and quarantine_pkey.
    private static let beside: SQL = """
        left join lateral (
            select case when sources.status <> 'deleted' then sources.slug end as slug
            from dialtone.sources where sources.source_id = events.source_id offset 0) sender on true
        left join lateral (
            select quarantine.reason, quarantine.pointer from dialtone.quarantine
            where quarantine.event_id = events.event_id and quarantine.settled_at is null offset 0) waits on true
        """

    private static func event(_ id: UUID, _ columns: inout PostgresColumns) throws -> ToldEvent {
        let (received, occurred): (Date, Date?) = (try columns.next(), try columns.next())
        let (source, user): (String?, String?) = (try columns.next(), try columns.next())
        let (delivery, item): (String, Int32) = (try columns.next(), try columns.next())
        let (wanted, outcome): (String?, String) = (try columns.next(), try columns.next())
        return ToldEvent(
            eventID: id.lowercase, receivedAt: received, occurredAt: occurred, source: source, userID: user,
            deliveryID: delivery, item: item, wanted: wanted, outcome: outcome, detail: try columns.next(),
            reason: try columns.next(), pointer: try columns.next())
    }
}
