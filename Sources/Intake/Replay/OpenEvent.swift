// SPDX-License-Identifier: Apache-2.0
// An event in quarantine as a replay finds it: its row in the ledger, and what is kept beside it.

import Foundation
import Model
import Postgres

struct OpenEvent: Sendable {
    let id: EventID
    let source: SourceID
    /// As the ledger has it.
    let deliveryID: String
    /// The sender's own id of the delivery, where that one is a hash of it. Nil also where nobody knows it any more.
    let sentID: String?
    /// Its place in its delivery, and its delivery's in the request.
    let item: Int32
    let number: Int32
    let span: QuarantineNote.Span
    let receivedAt: Date
    /// By the database's clock. A word without a time counts as of it, where arrival counts.
    let arrivedAt: Date
    /// The secret whose proof held.
    let secret: UUID?
    /// Whose key seals the body.
    let scope: String
    /// The first row of its request. Nil: a row of an older version.
    let body: EventID?
    let size: Int32
    let hash: [UInt8]
    let read: ReplayReport.Then
    /// What has settled it; nil: it is open.
    let settledBy: String?
    /// The version of the mapping that has put it in the ledger. `read` has the version that tried it last.
    let takenBy: Int32?

    /// Its delivery's first take did not have it: another mapping has read it there later.
    var isBeyond: Bool { self.item >= FirstTake.firstItemBeyond }
    /// Its place among what a mapping reads of its delivery.
    var place: Int32 { self.item % FirstTake.firstItemBeyond }
    /// What was read is of the event itself. An older program has kept what its delivery's first word was.
    var isReadItself: Bool { self.place == 0 || self.item >= FirstTake.firstItemOfVersions }

    /// Indexes quarantine_pkey and events_pkey.
    static func select(_ id: EventID) -> SQL {
        """
        select \(Self.columns)
        from (select * from dialtone.quarantine where event_id = \(id) offset 0) quarantine
        \(Self.event)
        """
    }

    /// The next open events of a source in the order of their arrival. With a tenant those that name it, as
    /// `EventSelect.quarantined` lists them. Indexes quarantine_open and events_pkey.
    static func page(
        of source: SourceID, tenant: TenantID?, reason: String?, after: OpenEvent?, limit: Int64
    ) -> SQL {
        let from = after?.arrivedAt ?? Date(timeIntervalSince1970: 0)
        let id = after?.id ?? EventID(rawValue: UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)))
        return """
            select \(Self.columns)
            from (select * from dialtone.quarantine
                  where source_id = \(source) and settled_at is null and arrived_at >= \(from)
                    and (arrived_at, event_id) > (\(from), \(id)) and (\(reason)::text is null or reason = \(reason))
                    and (\(tenant)::text is null or exists (
                        select 1 from dialtone.events
                        where events.event_id = quarantine.event_id and events.tenant_id = \(tenant)))
                  order by arrived_at, event_id limit \(limit)) quarantine
            \(Self.event)
            order by quarantine.arrived_at, quarantine.event_id
            """
    }

    private static let event: SQL = """
        cross join lateral (
            select * from dialtone.events where events.event_id = quarantine.event_id offset 0) events
        """

    private static let columns: SQL = """
        quarantine.event_id, quarantine.source_id, events.delivery_id, events.item, quarantine.number,
        quarantine.spans, events.received_at, quarantine.arrived_at, events.secret_id, quarantine.tenant_id,
        quarantine.body_id, quarantine.size, quarantine.body_sha256, quarantine.picks::text, quarantine.reason,
        quarantine.pointer, quarantine.config_version, quarantine.settled_by, events.config_version, events.sent_id
        """

    init(_ row: PostgresRow) throws {
        var columns = row.columns
        self.id = try columns.next()
        self.source = try columns.next()
        self.deliveryID = try columns.next()
        self.item = try columns.next()
        self.number = try columns.next()
        self.span = try columns.next()
        self.receivedAt = try columns.next()
        self.arrivedAt = try columns.next()
        self.secret = try columns.next()
        self.scope = try columns.next()
        self.body = try columns.next()
        self.size = try columns.next()
        self.hash = try columns.next(Bytes.self).value
        let picks: String? = try columns.next()
        self.read = ReplayReport.Then(
            picks: ReplayReport.picks(picks), reason: try columns.next(), place: try columns.next(),
            version: try columns.next())
        self.settledBy = try columns.next()
        self.takenBy = try columns.next()
        self.sentID = try columns.next()
    }
}
