// SPDX-License-Identifier: Apache-2.0
// A word of a tracked source on its way into the ledger: its sender is proven and its mapping has read it.

import Foundation
import Model

/// One item of a delivery, before it is stored.
struct NewWord: Sendable {
    private(set) var id: EventID
    let source: SourceID
    /// The tenant that the source belongs to; nil when it serves several. It maps to no other tenant then.
    let owner: TenantID?
    /// As the ledger has it.
    let deliveryID: String
    /// The word's place in its delivery, from 0.
    var item: Int32 = 0
    /// The event at place 0 of the delivery; nil when this is that event.
    var first: EventID?
    let receivedAt: Date
    private(set) var word: Word
    /// The version of the source's mapping that has read it.
    let mappingVersion: Int32
    /// A word of an organisation that is not mapped is kept in quarantine. False: quarantine is full. A word on the
    /// membership alone is ignored then, and another one is in the ledger without a note.
    var isKeptUnmapped = true
    /// The secret whose proof held; nil when that is not known.
    var secret: UUID?
    /// What it calls the person; nil: nothing, or the source keeps no names.
    var name: NewName?
    /// The sender's own id of the delivery, where `deliveryID` is a hash of it.
    var sentID: String?
    /// What the ledger may have in place of `deliveryID`: the source's proofs were of another kind. Nil: nothing.
    var formerID: String?

    /// The same word, for an event that is in quarantine. It is there already, so it needs no room.
    func replaying(_ event: EventID) -> NewWord {
        var word = self
        word.id = event
        word.isKeptUnmapped = true
        return word
    }

    func beside(_ head: EventID, arrivedAt: Date) -> NewWord {
        var word = self
        word.first = head
        if word.word.moment == .arrival { word.word.moment = .at(arrivedAt) }
        return word
    }

    /// The organisation that the word on a membership is about. A word without one is about the tenant that the
    /// configuration gives.
    var organization: String? {
        guard self.word.ofMembership != nil else { return nil }
        return self.word.organization ?? self.word.tenant?.rawValue
    }

    /// Without an organisation and without a tenant there is no membership to speak of.
    var ofMembership: Word.OfMembership? { self.organization == nil ? nil : self.word.ofMembership }

    /// The direction of the word, as the ledger has it.
    var asks: Wanted {
        let takesAway = self.ofMembership == .gone || self.word.ofPerson == .suspended || self.word.ofPerson == .deleted
        return takesAway ? .gone : .live
    }

    /// The word may take a credential away.
    var mayRevoke: Bool {
        self.word.isWhole || self.word.ofMembership == .gone || self.word.ofPerson == .suspended
            || self.word.ofPerson == .deleted
    }

    /// The sender's time, where it gave one.
    var occurredAt: Date? {
        guard case .at(let time) = self.word.moment else { return nil }
        return time
    }
}
