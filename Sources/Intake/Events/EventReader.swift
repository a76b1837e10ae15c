// SPDX-License-Identifier: Apache-2.0
// An operator looks at events: what came, what became of it, and what waits in quarantine and why.

import Foundation
package import Model
package import Postgres

/// Reads the ledger of all tenants. It shows no body, no secret, and of what a mapping has read only what may be shown.
package struct EventReader: Sendable {
    let pool: PostgresPool
    /// Events that a page of the newest looks through at most.
    var lookedThrough = EventSelect.maximumLookedThrough

    package init(pool: PostgresPool) { self.pool = pool }

    /// Returns the newest events first, or those older than `before`. Of a source or a tenant a page looks through
    /// 100,000 events of all, so it may be short and have a next one.
    ///
    /// Cancelled here: nothing was begun.
    package func newest(
        of source: SourceID?, tenant: TenantID?, before: EventID? = nil, limit: Int
    ) async throws -> EventEntryPage {
        let rows = try await self.pool.query(
            EventSelect.newest(
                of: source, tenant: tenant, before: before, limit: Int64(limit) + 1,
                lookedThrough: self.lookedThrough))
        var (entries, last): ([EventEntry], EventID?) = ([], nil)
        for row in rows {
            var columns = row.columns
            last = try columns.next(EventID?.self)
            guard try columns.next(Bool.self) else { break }
            entries.append(try Self.entry(&columns))
        }
        return EventEntryPage(entries, limit: limit, lookedAt: last)
    }

    /// Returns what is open in quarantine, the newest first, or what came before `before`.
    ///
    /// Cancelled here: nothing was begun.
    package func quarantined(
        of source: SourceID?, tenant: TenantID?, before: EventID? = nil, limit: Int
    ) async throws -> EventEntryPage {
        let rows = try await self.pool.query(
            EventSelect.quarantined(of: source, tenant: tenant, before: before, limit: Int64(limit) + 1))
        let entries = try rows.map { row in
            var columns = row.columns
            return try Self.entry(&columns)
        }
        return EventEntryPage(entries, limit: limit, lookedAt: nil)
    }

    /// Returns one event; nil when there is none.
    ///
    /// Cancelled here: nothing was begun.
    package func show(_ id: EventID) async throws -> EventDetail? {
        guard var columns = try await self.pool.query(EventSelect.one(id)).first?.columns else { return nil }
        let entry = try Self.entry(&columns)
        let effects = try await self.pool.query(EventSelect.effects(of: id)).map { row in
            var columns = row.columns
            return EventEffect(
                user: UserKey(tenant: try columns.next(), user: try columns.next()), wanted: try columns.next())
        }
        return EventDetail(
            entry: entry, sourceID: try columns.next(), version: try columns.next(), secret: try columns.next(),
            effects: effects,
            causes: try await self.pool.withConnection { try await ReplayEffect.users([id], on: $0) },
            quarantine: try await self.quarantine(id))
    }

    private static func entry(_ columns: inout PostgresColumns) throws -> EventEntry {
        EventEntry(
            id: try columns.next(), receivedAt: try columns.next(), occurredAt: try columns.next(),
            source: try columns.next(), tenant: try columns.next(), user: try columns.next(),
            organization: try columns.next(), deliveryID: try columns.next(), item: try columns.next(),
            wanted: try columns.next(), outcome: try columns.next(), detail: try columns.next(),
            reason: try columns.next(), place: try columns.next(),
            tenants: try columns.next([String].self).compactMap(TenantID.init(rawValue:)))
    }

    // MARK: Quarantine

    /// Indexes quarantine_pkey and quarantine_body.
    private func quarantine(_ id: EventID) async throws -> QuarantineDetail? {
        guard let row = try await self.pool.query(OpenEvent.select(id)).first else { return nil }
        let event = try OpenEvent(row)
        let found = try await self.pool.query(
            """
            select settled_at, exists (
                select 1 from dialtone.quarantine holder
                where holder.body_id = quarantine.body_id and holder.settled_at is null and holder.sealed is not null)
            from dialtone.quarantine where event_id = \(id)
            """)
        guard var columns = found.first?.columns else { return nil }
        let settledAt: Date? = try columns.next()
        let hasBody: Bool = try columns.next()
        return QuarantineDetail(
            read: event.read, arrivedAt: event.arrivedAt, size: event.size, sha256: Self.hexadecimal(event.hash),
            hasBody: hasBody && event.settledBy == nil,
            hindrance: try await self.hindrance(event, hasBody: hasBody), settledBy: event.settledBy,
            settledAt: settledAt)
    }

    /// Returns why an event cannot be tried again; nil when it can.
    private func hindrance(_ event: OpenEvent, hasBody: Bool) async throws -> String? {
        if let other = event.settledBy { return EventReplay.words(settledBy: other) }
        let source: ReplaySource?
        do { source = try await ReplaySource.read(event.source, in: self.pool) } catch let error as InvalidValue {
            return ReplaySource.whyUnreadable(error)
        }
        guard let source else { return "its source is not there any more" }
        return hasBody ? nil : source.whyNoBody
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
