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
    /// Items of an older program stand below this one. They do not tell which mapping has read them.
    static let firstItemOfVersions = 2 * FirstTake.firstItemBeyond

    /// What the ledger has of a delivery.
    private struct Stored {
        var known: [NamedWord: EventID] = [:]
        /// Rows of other mappings that name nobody: in quarantine, or dropped.
        var unnamedBefore: Set<EventID> = []
        var items: Set<Int32> = []
        var isReadOtherwise = false
    }

    /// Returns the item of a word that only this version of a mapping reads, by its place in the delivery. Each version
    /// numbers the words in its own way, so it has items of its own. Two versions share them that are 2,000 apart.
    static func item(beyond place: Int32, by version: Int32) -> Int32 {
        Self.firstItemBeyond * (2 + version % 2_000) + place
    }

    /// Decides again on deliveries whose ids the ledger has for something else. Another mapping read them first, or the
    /// table alone says what was left out. One that has no word in common with its first take is another delivery under
    /// the same id.
    static func decide<Event: MappedEvent>(
        _ events: [Event], _ results: inout [EventID: EventResult], on connection: PostgresConnection
    ) async throws {
        // Nearly always there is none, and every batch comes here.
        guard results.values.contains(where: Self.isReused) else { return }
        for (delivery, events) in Dictionary(grouping: events, by: \.delivery) {
            let reused = events.filter { Self.isReused(results[$0.id]) }
            guard !reused.isEmpty, let version = events.first?.readBy else { continue }
            let rows = try await TakenRow.read(delivery, place: Event.placeColumn, on: connection)
            let stored = Self.stored(rows, now: version)
            // What was ignored has left no row at its place.
            let isLeftOut = reused.allSatisfy { $0.isByTable && !stored.items.contains($0.item) }
            guard stored.isReadOtherwise || isLeftOut,
                events.contains(where: { stored.known[$0.named] != nil })
            else { continue }
            let beyond = WordsBeyond(rows, notOf: version, beside: events)
            for event in events where Self.isNew(results[event.id], to: stored) {
                let known = stored.known[event.named] ?? beyond.event(of: event)
                results[event.id] = .success(
                    known.map { Receipt.Item(eventID: $0, status: .duplicate) }
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

    private static func stored(_ rows: [TakenRow], now version: Int32) -> Stored {
        var stored = Stored()
        for row in rows {
            if let named = row.named { stored.known[named] = row.event }
            guard !row.isBeyond else { continue }
            stored.items.insert(row.item)
            if row.version != version { stored.isReadOtherwise = true }
            if row.named == nil, row.version != version { stored.unnamedBefore.insert(row.event) }
        }
        return stored
    }
}
