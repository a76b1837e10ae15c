// SPDX-License-Identifier: Apache-2.0
// An event of a source with a mapping, whether the source speaks of users or of people, when its delivery comes again.

import Foundation
import Model
import Postgres
import Queue

/// A word as far as the ledger names it. Two words of one delivery that are alike are one.
struct NamedWord: Sendable, Hashable {
    let person: String
    /// The organisation, or the tenant of a plain source.
    let place: String?
    let asks: String
}

/// A delivery of a source, by the id that the ledger has.
struct DeliveryKey: Sendable, Hashable {
    let source: SourceID
    let id: String
}

protocol MappedEvent: LineEvent {
    var source: SourceID { get }
    var deliveryID: String { get }
    /// The sender's own id of the delivery, where `deliveryID` is a hash of it.
    var sentID: String? { get }
    /// What the ledger may have in place of `deliveryID`: the source's proofs were of another kind. Nil: nothing.
    var formerID: String? { get }
    var item: Int32 { get }
    /// The version of the mapping that has read it. Nil: its source has no mapping.
    var readBy: Int32? { get }
    var named: NamedWord { get }
    /// The place of a word of which the mapping has picked no organisation.
    var placeUnnamed: String? { get }
    /// The mapping table says which tenant it is for. Without a line there, or with no room, it may not be stored.
    var isByTable: Bool { get }
    /// The column of the ledger that has the word's place.
    static var placeColumn: SQL { get }

    /// The same word, for an event that is in quarantine.
    func replaying(_ event: EventID) -> Self

    /// The same word beside the event at item 0 of its delivery. Where arrival counts, it came with that event.
    func beside(_ head: EventID, arrivedAt: Date) -> Self

    /// Settles events that are in quarantine by their ids, and stores others. All is one transaction, or a part of the
    /// one that is open. Returns what became of each by its id. Of an event that a word cannot settle this is
    /// `.quarantined`, or `.ignored` where it asks nothing.
    static func settle(
        _ words: [Self], storing others: [Self], _ clock: inout FairClock, on connection: PostgresConnection
    ) async throws -> [EventID: EventResult]

    /// Returns what the ledger has at the word's place by now. Nil when nothing is known.
    static func lookUp(_ word: Self, on connection: PostgresConnection) async throws -> EventResult?
}

extension MappedEvent {
    var delivery: DeliveryKey { DeliveryKey(source: self.source, id: self.deliveryID) }
}

extension NewWord: MappedEvent {
    var readBy: Int32? { self.mappingVersion }
    var named: NamedWord {
        NamedWord(person: self.word.person.rawValue, place: self.organization, asks: self.asks.rawValue)
    }
    var placeUnnamed: String? { nil }
    var isByTable: Bool { self.word.tenant == nil && self.organization != nil }
    static var placeColumn: SQL { "external_tenant" }
}

extension NewEvent: MappedEvent {
    var readBy: Int32? { self.mappingVersion }
    var named: NamedWord {
        NamedWord(person: self.change.user.user.rawValue, place: self.tenant, asks: self.change.wanted.rawValue)
    }
    var placeUnnamed: String? { self.tenant }
    var isByTable: Bool { false }
    static var placeColumn: SQL { "tenant_id" }
}
