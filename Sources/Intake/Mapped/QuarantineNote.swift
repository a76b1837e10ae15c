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

    let event: EventID
    let deliveryID: String
    /// The number of its delivery in the request.
    let number: Int
    let item: Int32
    let reason: Reason
    /// Whether the ledger has the event already.
    let isStored: Bool

    init(_ event: EventID, of delivery: TakenDelivery, item: Int32, reason: Reason, isStored: Bool) {
        self.event = event
        self.deliveryID = delivery.id
        self.number = delivery.number
        self.item = item
        self.reason = reason
        self.isStored = isStored
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
