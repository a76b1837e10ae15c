// SPDX-License-Identifier: Apache-2.0
// The id under which the ledger has a delivery: the sender's own, or a hash of it where that names a person.

import Model

/// Where a source signs no time, the id alone guards against a replay, so an erasure could not take a name out of it.
/// An id that names one of the delivery's people is never stored there. The same id has the same hash again.
struct StoredID: Sendable, Equatable {
    /// The sender's own id.
    let sent: String
    /// What the ledger has.
    let text: String

    init(_ delivery: MappedDelivery, of source: SourceID, signsTime: Bool) {
        self.sent = delivery.id
        let isTelling = !signsTime && delivery.items.contains { Self.names($0, delivery.id) }
        self.text = isTelling ? Self.hash(delivery.id, of: source) : delivery.id
    }

    /// The sender's own id where the ledger has a hash of it; nil: it has the id.
    var hidden: String? { self.text == self.sent ? nil : self.sent }

    /// Whether a row with this id may be of the delivery. Another mapping may have read other people.
    func isIn(_ id: String, of source: SourceID) -> Bool {
        id == self.sent || id == Self.hash(self.sent, of: source)
    }

    /// Byte by byte, as SQL's `strpos` looks for it.
    private static func names(_ item: MappedItem, _ id: String) -> Bool {
        guard let person = item.word?.person.rawValue, person.utf8.count <= id.utf8.count else { return false }
        return id.utf8.contains(person.utf8)
    }

    /// The same as `DeliveryHash` in `Directory` has it in SQL.
    static func hash(_ id: String, of source: SourceID) -> String {
        "sha256:" + Reading.hexadecimal(of: Array("\(source.rawValue.lowercase):\(id)".utf8)[...])
    }
}
