// SPDX-License-Identifier: Apache-2.0
// A delivery that comes again while an event of it is in quarantine is a replay with the body at hand.

import Foundation
import Model
import Postgres
import Queue

enum Resend {
    /// Deliveries that are taken in as a whole beside one batch, at most. Each is a transaction of its own, and all who
    /// wait for the writer wait for it. The senders of others are told to come again.
    static let maximumTakenIn = 16

    /// The event at item 0 that stands for all of its delivery: nothing else of it could be read when it came first.
    private struct Head {
        let event: EventID
        let arrivedAt: Date
        /// An operator has dropped it. Else it is in quarantine.
        let isDropped: Bool
    }

    /// Settles what is in quarantine and can be used now.
    ///
    /// A row in quarantine names nobody and says the same as any word. So a delivery that differs from its first take
    /// somewhere settles nothing: another mapping may number its items in another way. Where the row stands for the
    /// whole delivery, all that is read now is taken in, as a replay does. With `isInTransaction` one is open already.
    static func settle<Event: MappedEvent>(
        _ events: [Event], _ results: inout [EventID: EventResult], _ clock: inout FairClock,
        isInTransaction: Bool = false, on connection: PostgresConnection
    ) async throws {
        let deliveries = Dictionary(grouping: events.filter { $0.readBy != nil }, by: \.delivery).filter { _, events in
            events.contains { FirstTake.isReused(results[$0.id]) || Self.waiting($0, results) != nil }
        }
        guard !deliveries.isEmpty else { return }
        let heads = try await Self.heads(of: Array(deliveries.keys), on: connection)
        var repeated: [Event] = []
        var room = Self.maximumTakenIn
        for (delivery, events) in deliveries {
            if let head = heads[delivery] {
                guard !head.isDropped else {
                    Self.pass(events.filter { FirstTake.isReused(results[$0.id]) }, head, &results)
                    continue
                }
                room -= 1
                guard room >= 0 else {
                    for event in events { results[event.id] = .failure(.busy(retryAfter: 1)) }
                    continue
                }
                if isInTransaction {
                    try await Self.takeIn(events, of: delivery, head, &results, &clock, on: connection)
                } else {
                    try await connection.withTransaction {
                        try await Self.takeIn(events, of: delivery, head, &results, &clock, on: connection)
                    }
                }
            } else if !events.contains(where: { FirstTake.isReused(results[$0.id]) }) {
                repeated += events
            }
        }
        try await Self.settle(repeated, storing: [], &results, &clock, on: connection)
    }

    /// Takes in a delivery whose head is in quarantine, in a transaction. One whose head was dropped is known.
    ///
    /// Nobody else settles the head from the lock to the transaction's end. Cancelled before that begins: the sender is
    /// told to come again.
    private static func takeIn<Event: MappedEvent>(
        _ events: [Event], of delivery: DeliveryKey, _ head: Head, _ results: inout [EventID: EventResult],
        _ clock: inout FairClock, on connection: PostgresConnection
    ) async throws {
        let reused = events.filter { FirstTake.isReused(results[$0.id]) }
        _ = try await connection.query(QuarantinedBody.lock(of: [head.event]), shielded: true)
        guard let now = try await Self.heads(of: [delivery], on: connection)[delivery] else {
            for event in events {
                results[event.id] = try await Event.lookUp(event, on: connection) ?? results[event.id]
            }
            return
        }
        guard !now.isDropped else { return Self.pass(reused, now, &results) }
        let waiting = events.filter { reused.isEmpty || Self.waiting($0, results) == head.event }
        let others = reused.map { $0.beside(head.event, arrivedAt: head.arrivedAt) }
        try await Self.settle(waiting, storing: others, &results, &clock, on: connection)
    }

    private static func pass<Event: MappedEvent>(
        _ events: [Event], _ head: Head, _ results: inout [EventID: EventResult]
    ) {
        for event in events {
            results[event.id] = .success(Receipt.Item(eventID: head.event, status: .duplicate))
        }
    }

    /// Settles the rows in quarantine of those of these events that have one.
    private static func settle<Event: MappedEvent>(
        _ events: [Event], storing others: [Event], _ results: inout [EventID: EventResult],
        _ clock: inout FairClock, on connection: PostgresConnection
    ) async throws {
        var repeated: [Event] = []
        var ids: [EventID: EventID] = [:]
        for event in events {
            guard let known = Self.waiting(event, results), ids[known] == nil else { continue }
            ids[known] = event.id
            repeated.append(event.replaying(known))
        }
        guard !repeated.isEmpty || !others.isEmpty else { return }
        let written = try await Event.settle(repeated, storing: others, &clock, on: connection)
        try await EventInsert.markSuperseded(written, on: connection)
        for (id, result) in written {
            guard let event = ids[id] else {
                results[id] = result
                continue
            }
            // What asks nothing by now stays in quarantine, and its sender is told that it is known.
            if case .success(let item) = result, item.status == .ignored {
                results[event] = .success(Receipt.Item(eventID: id, status: .duplicate))
            } else {
                results[event] = result
            }
        }
    }

    /// Returns the event in quarantine that the ledger has for the word. Nil: it has none.
    private static func waiting<Event: MappedEvent>(
        _ event: Event, _ results: [EventID: EventResult]
    ) -> EventID? {
        guard case .success(let item)? = results[event.id], item.status == .quarantined, item.eventID != event.id
        else { return nil }
        return item.eventID
    }

    /// Reads the heads that are in quarantine or dropped. Indexes: the ledger's unique key, and quarantine_pkey.
    private static func heads(
        of deliveries: [DeliveryKey], on connection: PostgresConnection
    ) async throws -> [DeliveryKey: Head] {
        let rows = try await connection.query(
            Self.heads(of: deliveries.map(\.source), deliveries.map(\.id)), shielded: true)
        var heads: [DeliveryKey: Head] = [:]
        for row in rows {
            var columns = row.columns
            let delivery = DeliveryKey(source: try columns.next(), id: try columns.next())
            heads[delivery] = Head(
                event: try columns.next(), arrivedAt: try columns.next(), isDropped: try columns.next())
        }
        return heads
    }

    static func heads(of sources: [SourceID], _ deliveries: [String]) -> SQL {
        """
        select delivery.source_id, delivery.delivery_id, head.event_id, kept.arrived_at,
               head.outcome <> 'quarantined'
        from unnest(\(sources), \(deliveries)) as delivery (source_id, delivery_id)
        cross join lateral (
            select events.event_id, events.outcome from dialtone.events
            where events.source_id = delivery.source_id and events.delivery_id = delivery.delivery_id
              and events.item = 0 offset 0) head
        cross join lateral (
            select quarantine.arrived_at, quarantine.settled_by from dialtone.quarantine
            where quarantine.event_id = head.event_id and quarantine.spans <> 'item' offset 0) kept
        where head.outcome = 'quarantined' or head.outcome = 'ignored' and kept.settled_by = 'dropped'
        """
    }
}
