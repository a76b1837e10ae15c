// SPDX-License-Identifier: Apache-2.0
// One proven request as its source's mapping has read it: what is written of each delivery, and what cannot be used.

import Foundation
import Model

struct TakenRequest: Sendable {
    let source: MappedSource
    let request: ProvenRequest
    /// The secret whose proof held.
    let secret: UUID?
    /// In the request's order.
    let deliveries: [TakenDelivery]
    /// What the sender must hear, where a rule says so.
    let answer: SenderAnswer?
    /// Events that the source's budget pays for: all items that were read, ignored ones too. They are at least one for
    /// each 4 KiB of the body. To read is work, whatever comes of it.
    let charge: Int

    private static let bytesOfCharge = 4096

    /// Without `keepsUnmapped` a word of an organisation that is not mapped is ignored.
    init(_ request: ProvenRequest, from source: MappedSource, secret: UUID?, keepsUnmapped: Bool = true) {
        let mapped = source.mapping.read(request)
        self.source = source
        self.request = request
        self.secret = secret
        self.deliveries = mapped.deliveries.enumerated().map { number, delivery in
            TakenDelivery(
                delivery, number: number, of: source, secret: secret, receivedAt: request.receivedAt,
                keepsUnmapped: keepsUnmapped)
        }
        self.answer = mapped.answer
        let items = mapped.deliveries.reduce(0) { $0 + $1.items.count }
        self.charge = max(1, items, (request.body.count + Self.bytesOfCharge - 1) / Self.bytesOfCharge)
    }

    /// Events and what cannot be used; what was ignored is not counted.
    var itemCount: Int { self.deliveries.reduce(0) { $0 + $1.itemCount } }
}

/// One delivery. Its items are numbered without those that are ignored.
struct TakenDelivery: Sendable {
    enum Words: Sendable {
        case none
        case plain(NewDelivery)
        case tracked(TrackedDelivery)

        var count: Int {
            switch self {
            case .none: 0
            case .plain(let delivery): delivery.events.count
            case .tracked(let delivery): delivery.events.count
            }
        }

        /// The place of each event in its delivery, and its word.
        var items: [(place: Int32, named: NamedWord)] {
            switch self {
            case .none: []
            case .plain(let delivery): delivery.events.map { ($0.item, $0.named) }
            case .tracked(let delivery): delivery.events.map { ($0.item, $0.named) }
            }
        }
    }

    struct UnusableItem: Sendable {
        let event: EventID
        let item: Int32
        let unusable: Unusable
    }

    /// Its id, as its sender has it and as the ledger has it.
    let told: StoredID
    /// Its place in the request.
    let number: Int
    let words: Words
    let unusable: [UnusableItem]
    /// Why items were ignored, and how many; nil: none was. The sender's type, where it has told one.
    let ignored: (reason: String, count: Int)?

    /// The id under which the ledger has it.
    var id: String { self.told.text }
    var itemCount: Int { self.words.count + self.unusable.count }

    init(
        _ delivery: MappedDelivery, number: Int, of source: MappedSource, secret: UUID?, receivedAt: Date,
        keepsUnmapped: Bool
    ) {
        var (events, words, unusable): ([NewEvent], [NewWord], [UnusableItem]) = ([], [], [])
        var ignored: [IgnoreReason] = []
        let told = StoredID(delivery.id, of: source.id, by: source.compiled)
        var (first, item): (EventID?, Int32) = (nil, 0)
        for one in delivery.items {
            let id = EventID(at: receivedAt)
            switch one {
            case .ignored(let reason):
                ignored.append(reason)
                continue
            case .unusable(let reason): unusable.append(UnusableItem(event: id, item: item, unusable: reason))
            case .word(let word) where source.isTracked:
                words.append(
                    NewWord(
                        id: id, source: source.id, owner: source.owner, deliveryID: told.text, item: item,
                        first: first, receivedAt: receivedAt, word: word, mappingVersion: source.version,
                        isKeptUnmapped: keepsUnmapped, secret: secret, name: word.newName, sentID: told.hidden,
                        formerID: told.former))
            case .word(let word):
                guard let change = word.change(receivedAt: receivedAt) else { continue }
                events.append(
                    NewEvent(
                        id: id, source: source.id, deliveryID: told.text, item: item, first: first,
                        receivedAt: receivedAt, change: change, isWeak: word.isWeak && change.wanted == .live,
                        isByArrival: word.moment == .arrival && change.wanted == .gone,
                        mappingVersion: source.version, secret: secret, name: word.newName, sentID: told.hidden,
                        formerID: told.former))
            }
            first = first ?? id
            item += 1
        }
        (self.told, self.number, self.unusable) = (told, number, unusable)
        self.ignored = ignored.first.map { (delivery.type ?? $0.rawValue, ignored.count) }
        self.words =
            TrackedDelivery(words).map(Words.tracked) ?? NewDelivery(events).map(Words.plain) ?? .none
    }
}

extension Word {
    /// What the word asks of a user, at a source whose words all name their tenant. Nil: an invitation asks nothing.
    ///
    /// A revoke that counts as of its arrival has no time here. It always stands, whatever the node's clock says, and
    /// the database gives it its time. A sign-up gets the node's time of arrival.
    func change(receivedAt: Date) -> UserChange? {
        guard let tenant = self.tenant else { return nil }
        let takesAway = self.ofMembership == .gone || self.ofPerson == .suspended || self.ofPerson == .deleted
        guard takesAway || self.ofPerson == .live || self.ofMembership == .live else { return nil }
        let occurredAt: Date? =
            switch self.moment {
            case .at(let time): time
            case .arrival: takesAway ? nil : receivedAt
            case .unknown: nil
            }
        return UserChange(
            user: UserKey(tenant: tenant, user: self.person), wanted: takesAway ? .gone : .live,
            occurredAt: occurredAt)
    }
}
