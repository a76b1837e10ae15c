// SPDX-License-Identifier: Apache-2.0
// A delivery that comes again after its source's mapping was changed: what its first take has stored stays as it is.

import Model
import Postgres

/// A word as far as the ledger names it. Two words of one delivery that are alike are one.
struct NamedWord: Sendable, Hashable {
    let person: String
    /// The organisation, or the tenant of a plain source.
    let place: String?
    let asks: String
}

/// An event of a source with a mapping.
protocol MappedEvent: LineEvent {
    var source: SourceID { get }
    var deliveryID: String { get }
    var item: Int32 { get }
    var readBy: Int32? { get }
    var named: NamedWord { get }
    /// The column of the ledger that has the word's place.
    static var placeColumn: SQL { get }
}

extension NewWord: MappedEvent {
    var readBy: Int32? { self.mappingVersion }
    var named: NamedWord {
        NamedWord(person: self.word.person.rawValue, place: self.organization, asks: self.asks.rawValue)
    }
    static var placeColumn: SQL { "external_tenant" }
}

extension NewEvent: MappedEvent {
    var readBy: Int32? { self.mappingVersion }
    var named: NamedWord {
        NamedWord(person: self.change.user.user.rawValue, place: self.tenant, asks: self.change.wanted.rawValue)
    }
    static var placeColumn: SQL { "tenant_id" }
}

/// The first take of a delivery fixes what it is: nothing is added to it later. A word that it has is a duplicate,
/// wherever it stands now. A word that only the present mapping reads is kept for an operator.
enum FirstTake {
    /// Items from here on are words that a first take did not have.
    static let firstItemBeyond: Int32 = 1 << 20

    private struct DeliveryKey: Hashable {
        let source: SourceID
        let id: String
    }

    /// Decides again on deliveries whose ids the ledger has for something else, where another mapping read them first.
    /// One that has no word in common with its first take is another delivery under the same id.
    static func decide<Event: MappedEvent>(
        _ events: [Event], _ results: inout [EventID: EventResult], on connection: PostgresConnection
    ) async throws {
        // Nearly always there is none, and every batch comes here.
        guard results.values.contains(where: Self.isReused) else { return }
        let deliveries = Dictionary(grouping: events) { DeliveryKey(source: $0.source, id: $0.deliveryID) }
        for (delivery, events) in deliveries where events.contains(where: { Self.isReused(results[$0.id]) }) {
            guard let version = events.first?.readBy else { continue }
            let rows = try await connection.query(
                Self.stored(delivery.id, of: delivery.source, place: Event.placeColumn), shielded: true)
            var known: [NamedWord: EventID] = [:]
            var isReadOtherwise = false
            for row in rows {
                var columns = row.columns
                let event: EventID = try columns.next()
                isReadOtherwise = try columns.next() != version || isReadOtherwise
                let person: String? = try columns.next()
                let place: String? = try columns.next()
                let asks: String? = try columns.next()
                if let person, let asks { known[NamedWord(person: person, place: place, asks: asks)] = event }
            }
            guard isReadOtherwise, events.contains(where: { known[$0.named] != nil }) else { continue }
            for event in events where Self.isReused(results[event.id]) {
                results[event.id] = .success(
                    known[event.named].map { Receipt.Item(eventID: $0, status: .duplicate) }
                        ?? Receipt.Item(eventID: event.id, status: .quarantined, isBeyondFirstTake: true))
            }
        }
    }

    private static func isReused(_ result: EventResult?) -> Bool {
        if case .failure(.deliveryReused)? = result { true } else { false }
    }

    /// What the first take has stored. Index: the ledger's unique key.
    private static func stored(_ delivery: String, of source: SourceID, place: SQL) -> SQL {
        """
        select event_id, coalesce(config_version, 0), user_id, \(place), wanted from dialtone.events
        where source_id = \(source) and delivery_id = \(delivery) and item < \(Self.firstItemBeyond)
        """
    }
}
