// SPDX-License-Identifier: Apache-2.0
// What is written down of an event that was proven and could not be used.

import Foundation
import Model

struct QuarantineNote: Sendable {
    enum Reason: Sendable, Equatable {
        case unusable(Unusable)
        /// No tenant is known for the organisation.
        case unmapped
        /// Another event was stored under this delivery's id.
        case reusedID
        /// Another mapping has read the delivery first, without this word.
        case mappingChanged
        /// The database does not take a value of it.
        case refused

        /// The column `quarantine.reason`.
        var text: String {
            switch self {
            case .unusable(let unusable): unusable.reason.rawValue
            case .unmapped: "unmapped"
            case .reusedID: "reused_id"
            case .mappingChanged: "mapping_changed"
            case .refused: "refused"
            }
        }

        /// At most 255 bytes.
        var place: String? {
            guard case .unusable(let unusable) = self, !unusable.place.isEmpty else { return nil }
            return Reading.shortened(unusable.place)
        }
    }

    /// What failed as one: the column `quarantine.spans`.
    enum Span: String, Sendable {
        case item, delivery, request
    }

    let event: EventID
    /// As the ledger has it.
    let deliveryID: String
    /// The number of its delivery in the request.
    let number: Int
    let item: Int32
    let reason: Reason
    let span: Span
    /// Whether the ledger has the event already.
    let isStored: Bool
    /// The word that was read; nil: none could be.
    var named: NamedWord?
    /// The sender's own id of the delivery, where `deliveryID` is a hash of it.
    var sentID: String?
    /// What the ledger may have in place of `deliveryID`: the source's proofs were of another kind. Nil: nothing.
    var formerID: String?
}

extension QuarantineNote {
    init(
        _ event: EventID, of delivery: TakenDelivery, item: Int32, reason: Reason, span: Span = .item, isStored: Bool,
        named: NamedWord? = nil
    ) {
        self.init(
            event: event, deliveryID: delivery.id, number: delivery.number, item: item, reason: reason, span: span,
            isStored: isStored, named: named, sentID: delivery.told.hidden, formerID: delivery.told.former)
    }
}

/// A request of which something could not be used.
struct QuarantinedRequest: Sendable {
    let source: MappedSource
    let request: ProvenRequest
    /// The secret whose proof held.
    let secret: UUID?
    /// At least one.
    let notes: [QuarantineNote]
}

/// The rows of one request as they are written.
struct QuarantineRows: Sendable {
    let source: SourceID
    /// Whose key seals the body.
    let scope: String
    /// The mapping's version.
    let version: Int32
    let receivedAt: Date
    /// The secret whose proof held.
    let secret: UUID?
    /// Of the body.
    let size: Int32
    let hash: [UInt8]
    let notes: [QuarantineNote]
    /// One for each note.
    let picks: [String]
    /// Whose body they share, and since when they wait, where other rows of the request are there already. Nil: the
    /// body is their own, and they wait from now on.
    var joins: (body: EventID, arrivedAt: Date)?
}
