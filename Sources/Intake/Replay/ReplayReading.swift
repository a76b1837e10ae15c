// SPDX-License-Identifier: Apache-2.0
// What today's mapping reads where an event stands that could not be used.

import Foundation
import Model

struct ReplayReading: Sendable {
    enum Own: Sendable {
        case word(Word)
        case ignored
        case unusable(Unusable)
        /// The mapping reads nothing at this place.
        case nothing
    }

    /// What is read beside the event where more than an item failed.
    struct Further: Sendable {
        let id: EventID
        /// The event at place 0 of its delivery; nil when this is that event.
        let first: EventID?
        let deliveryID: String
        /// The sender's own id of the delivery, where that one is a hash of it.
        let sentID: String?
        let number: Int
        let item: Int32
        let read: MappedItem
    }

    let own: Own
    let further: [Further]
    let picks: String
    /// What is picked of each delivery, by its number.
    let picksOfFurther: [Int: QuarantinePicks]
    /// The id that the event's delivery has today; nil: the mapping reads none.
    let id: StoredID?
    /// What the ledger may have to move of the other deliveries.
    let moves: [MovedID]
    /// The words of the event's delivery by their places, which tell whether the mapping still numbers them alike.
    let words: [Int32: Word]
    /// Places of the event's delivery, with those that cannot be used.
    let count: Int

    /// There is something to write.
    var hasWords: Bool { if case .word = self.own { true } else { !self.further.isEmpty } }

    init(_ event: OpenEvent, _ request: ProvenRequest, by source: ReplaySource) {
        let mapping = source.mapping
        let read = mapping.read(request)
        let ids = read.deliveries.map { StoredID($0.id, of: source.id, by: source.compiled) }
        let number = Self.number(of: event, in: ids)
        let numbers = event.span == .request ? Set(read.deliveries.indices).union([number]) : [number]
        self.picksOfFurther = QuarantinePicks.read(request, numbers, by: mapping)
        let picked = self.picksOfFurther[number] ?? QuarantinePicks()
        guard read.deliveries.indices.contains(number) else {
            (self.own, self.further, self.words, self.count) = (.nothing, [], [:], 0)
            (self.picks, self.id, self.moves) = (picked.text, nil, [])
            return
        }
        self.id = ids[number]
        self.moves = event.span == .request ? Self.moves(of: ids, but: ids[number]) : []
        let items = Self.items(of: read.deliveries[number], source, event.receivedAt)
        self.count = items.count
        self.words = items.enumerated().reduce(into: [:]) { $0[Int32($1.offset)] = $1.element.word }
        let place = Int(event.place)
        self.own = items.indices.contains(place) ? Self.own(items[place]) : items.isEmpty ? .ignored : .nothing
        let word = self.words[event.place]
        self.picks = word == nil && !event.isBeyond ? picked.text : picked.text(of: word)
        var further: [Further] = []
        if event.span != .item {
            let id = (event.deliveryID, event.sentID)
            further += Self.further(items.dropFirst(), after: event.id, of: id, number, event.receivedAt)
        }
        if event.span == .request {
            for (place, delivery) in read.deliveries.enumerated() where place != number {
                let items = Self.items(of: delivery, source, event.receivedAt)
                let id = (ids[place].text, ids[place].hidden)
                further += Self.further(items[...], after: nil, of: id, place, event.receivedAt)
            }
        }
        self.further = further
    }

    /// The mapping may split the request in another way now. The event's delivery is the one with its id, then.
    private static func number(of event: OpenEvent, in ids: [StoredID]) -> Int {
        guard event.span != .request else { return 0 }
        let number = Int(event.number)
        if ids.indices.contains(number), ids[number].isIn(event.deliveryID) { return number }
        return ids.firstIndex { $0.isIn(event.deliveryID) } ?? number
    }

    /// Each id once, without that of the event's own delivery.
    private static func moves(of ids: [StoredID], but own: StoredID) -> [MovedID] {
        Array(Set(ids.filter { $0 != own }.compactMap(\.move)))
    }

    /// Those that the ledger numbers, as `TakenDelivery` does: a word that asks nothing of a plain source has no place.
    private static func items(
        of delivery: MappedDelivery, _ source: ReplaySource, _ receivedAt: Date
    ) -> [MappedItem] {
        delivery.items.filter { item in
            switch item {
            case .ignored: false
            case .unusable: true
            case .word(let word): source.isTracked || word.change(receivedAt: receivedAt) != nil
            }
        }
    }

    private static func own(_ item: MappedItem) -> Own {
        switch item {
        case .word(let word): .word(word)
        case .ignored: .ignored
        case .unusable(let unusable): .unusable(unusable)
        }
    }

    /// `first` is the event at place 0 where that is another one than the first of these.
    private static func further(
        _ items: ArraySlice<MappedItem>, after first: EventID?, of delivery: (id: String, sent: String?),
        _ number: Int, _ receivedAt: Date
    ) -> [Further] {
        var (further, first): ([Further], EventID?) = ([], first)
        for (place, item) in zip(items.indices, items) {
            let id = EventID(at: receivedAt)
            further.append(
                Further(
                    id: id, first: first, deliveryID: delivery.id, sentID: delivery.sent, number: number,
                    item: Int32(place), read: item))
            first = first ?? id
        }
        return further
    }
}
