// SPDX-License-Identifier: Apache-2.0
// A delivery that comes again after its source's mapping was changed: what its first take has stored stays as it is.

import Model
import Postgres

/// The first take of a delivery fixes what it is: nothing is added to it later. A word that it has is a duplicate,
/// wherever it stands now. A word that only the present mapping reads is kept for an operator. So is a word that an
/// organisation's line in the mapping table kept out of the first take.
enum FirstTake {
    /// Items from here on are words that a first take did not have.
    static let firstItemBeyond: Int32 = 1 << 20

    /// What the ledger has of a delivery.
    private struct Stored {
        var known: [NamedWord: EventID] = [:]
        /// Rows of other mappings that name nobody: in quarantine, or dropped.
        var unnamedBefore: Set<EventID> = []
        var items: Set<Int32> = []
        var isReadOtherwise = false
    }

    /// Decides again on deliveries whose ids the ledger has for something else, where another mapping read them first,
    /// or where the table alone says what was left out. One that has no word in common with its first take is another
    /// delivery under the same id.
    static func decide<Event: MappedEvent>(
        _ events: [Event], _ results: inout [EventID: EventResult], on connection: PostgresConnection
    ) async throws {
        // Nearly always there is none, and every batch comes here.
        guard results.values.contains(where: Self.isReused) else { return }
        for (delivery, events) in Dictionary(grouping: events, by: \.delivery) {
            let reused = events.filter { Self.isReused(results[$0.id]) }
            guard !reused.isEmpty, let version = events.first?.readBy else { continue }
            let stored = try await Self.stored(delivery, place: Event.placeColumn, now: version, on: connection)
            // What was ignored has left no row at its place.
            let isLeftOut = reused.allSatisfy { $0.isByTable && !stored.items.contains($0.item) }
            guard stored.isReadOtherwise || isLeftOut,
                events.contains(where: { stored.known[$0.named] != nil })
            else { continue }
            for event in events where Self.isNew(results[event.id], to: stored) {
                results[event.id] = .success(
                    stored.known[event.named].map { Receipt.Item(eventID: $0, status: .duplicate) }
                        ?? Receipt.Item(eventID: event.id, status: .quarantined, isBeyondFirstTake: true))
            }
        }
    }

    /// The ledger has another event for it.
    static func isReused(_ result: EventResult?) -> Bool {
        if case .failure(.deliveryReused)? = result { true } else { false }
    }

    /// A row that names nobody says the same as any word. Where another mapping has numbered the items it may be
    /// another one's, so the word is kept besides.
    private static func isNew(_ result: EventResult?, to stored: Stored) -> Bool {
        if case .success(let item)? = result { return stored.unnamedBefore.contains(item.eventID) }
        return Self.isReused(result)
    }

    /// Reads what the first take has stored. Index: the ledger's unique key.
    private static func stored(
        _ delivery: DeliveryKey, place: SQL, now version: Int32, on connection: PostgresConnection
    ) async throws -> Stored {
        let rows = try await connection.query(
            """
            select event_id, item, coalesce(config_version, 0), user_id, \(place), wanted
            from dialtone.events
            where source_id = \(delivery.source) and delivery_id = \(delivery.id) and item < \(Self.firstItemBeyond)
            """, shielded: true)
        var stored = Stored()
        for row in rows {
            var columns = row.columns
            let event: EventID = try columns.next()
            stored.items.insert(try columns.next())
            let isOfOther = try columns.next(Int32.self) != version
            let person: String? = try columns.next()
            let place: String? = try columns.next()
            let asks: String? = try columns.next()
            if isOfOther { stored.isReadOtherwise = true }
            if let person, let asks {
                stored.known[NamedWord(person: person, place: place, asks: asks)] = event
            } else if isOfOther {
                stored.unnamedBefore.insert(event)
            }
        }
        return stored
    }
}
