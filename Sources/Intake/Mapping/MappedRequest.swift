// SPDX-License-Identifier: Apache-2.0
// What a mapping reads of one request.

package import Foundation
import Model

/// A request whose proof has held.
package struct ProvenRequest: Sendable {
    /// Returns all values of a header, by its lower-case name.
    package let headers: @Sendable (String) -> [String]
    package let body: [UInt8]
    package let receivedAt: Date
    /// The delivery's id, where the proof covers one.
    package let provenID: String?
    /// The claims of a token that was the body or stood in it, as JSON. Nil: they are decoded of the body.
    package let claims: [UInt8]?
    /// When it is read: a time may lie five minutes ahead of this. It is later than `receivedAt` for a request that was
    /// kept.
    package let readAt: Date

    package init(
        headers: @escaping @Sendable (String) -> [String], body: [UInt8], receivedAt: Date, provenID: String? = nil,
        claims: [UInt8]? = nil, readAt: Date? = nil
    ) {
        self.headers = headers
        self.body = body
        self.receivedAt = receivedAt
        self.provenID = provenID
        self.claims = claims
        self.readAt = readAt ?? receivedAt
    }
}

/// The deliveries of one request, in its order. An empty batch has none.
package struct MappedRequest: Sendable, Equatable {
    package var deliveries: [MappedDelivery]
    /// What the sender must hear where a rule says so. Nil: the source's answer for the outcome.
    package var answer: SenderAnswer?
}

/// One delivery: what the sender sends once, and repeats under the same id.
package struct MappedDelivery: Sendable, Equatable {
    /// At most 255 bytes, and visible.
    package var id: String
    /// The delivery's words in its order. What was ignored stands among them and is no item of the ledger.
    package var items: [MappedItem]
    /// What the sender calls the event. Read only where an item is no word.
    package var type: String?
}

package enum MappedItem: Sendable, Equatable {
    case word(Word)
    case ignored(IgnoreReason)
    case unusable(Unusable)

    var word: Word? { if case .word(let word) = self { word } else { nil } }
    var isWord: Bool { self.word != nil }
}

extension Word {
    /// Whether it takes something away and gives nothing.
    var isTaking: Bool { self.ofPerson != .live && (self.ofMembership == nil || self.ofMembership == .gone) }
}
