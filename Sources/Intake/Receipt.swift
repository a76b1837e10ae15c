// SPDX-License-Identifier: Apache-2.0
// What a sender is told about a delivery: what became of each event, or why it was not taken in.

package import Model

/// The outcome of a delivery: one item for each event, in the delivery's order. That of a stored delivery exists only
/// after the commit.
package struct Receipt: Sendable, Equatable {
    package struct Item: Sendable, Equatable {
        package let eventID: EventID
        package let status: EventOutcome
        /// Its organisation is not mapped, and quarantine had no room. Nothing is kept for an operator, and where it
        /// was ignored nothing is stored.
        var isNotKept = false
        /// The ledger knew the delivery without this word, because another mapping had read it. It is not stored.
        var isBeyondFirstTake = false
        /// The tenant that a mapping table has named, for the counts. Nil: none has, or the word named it itself.
        var tenant: TenantID?
    }

    package let items: [Item]
    /// What the sender must hear. Nil: what the canonical event's sender does.
    package let answer: SenderAnswer?

    /// The first event's id.
    package var eventID: EventID { self.items[0].eventID }
    /// The status of the whole delivery: accepted when any event is, else the first event's.
    package var status: EventOutcome {
        self.items.contains { $0.status == .accepted } ? .accepted : self.items[0].status
    }

    /// Of a delivery that asks nothing of us. It is not stored, and the id is in no table.
    static func ignored(_ id: EventID, answer: SenderAnswer? = nil) -> Receipt {
        Receipt(items: [Item(eventID: id, status: .ignored)], answer)
    }

    private init(items: [Item], _ answer: SenderAnswer?) {
        self.items = items
        self.answer = answer
    }

    /// Nil without an item.
    init?(_ items: [Item], answer: SenderAnswer? = nil) {
        guard !items.isEmpty else { return nil }
        self.items = items
        self.answer = answer
    }
}

package enum IntakeError: Error, Equatable {
    case unknownHook
    /// Not stored: an operator has stopped the source. The sender must come again.
    case disabled
    /// Names a header or a claim, and never a value.
    case badProof(ProofFailure)
    /// The sender is proven, and its body cannot be used. It was not stored.
    case unusable(UnusableBody)
    /// Another event was stored under this delivery's id.
    case deliveryReused
    /// Not stored, because too much of this sender or its tenant is under way. It may come again after so many seconds.
    case busy(retryAfter: Int)
    /// Not stored, or not known to be stored: the sender must try again.
    case unavailable
    /// Not stored: too many hooks that are not known are being looked up.
    case tooManyUnknown
    /// Not stored: the keys that the sender publishes could not be fetched.
    case keysUnavailable
}
