// SPDX-License-Identifier: Apache-2.0
// The events of one delivery on their way into the ledger: they are stored together or not at all.

import Foundation
import Model

/// One event, or several when the delivery carries several users.
struct NewDelivery: Sendable {
    /// In the delivery's order; at least one.
    let events: [NewEvent]

    init(_ event: NewEvent) { self.events = [event] }

    init?(_ events: [NewEvent]) {
        guard !events.isEmpty else { return nil }
        self.events = events
    }

    /// Makes one event for each change. Nil without a change. `secret` is the one whose proof held. `names` are what the
    /// changes' users are called, each at its change's place; empty: the source keeps no names.
    init?(
        _ id: String, of source: SourceID, asking changes: [UserChange], calling names: [PersonName?] = [],
        receivedAt: Date, secret: UUID? = nil
    ) {
        guard !changes.isEmpty else { return nil }
        var events: [NewEvent] = []
        for (place, change) in changes.enumerated() {
            events.append(
                NewEvent(
                    id: EventID(at: receivedAt), source: source, deliveryID: id, item: Int32(place),
                    first: events.first?.id, receivedAt: receivedAt, change: change, secret: secret,
                    name: names.isEmpty ? nil : names[place].map { NewName(told: $0) }))
        }
        self.events = events
    }

    var source: SourceID { self.events[0].source }
    /// The ledger's id of the delivery.
    var id: String { self.events[0].deliveryID }
}
