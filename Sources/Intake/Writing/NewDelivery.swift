// SPDX-License-Identifier: Apache-2.0
// The events of one delivery on their way into the ledger: they are stored together or not at all.

import Foundation
import Model

/// One event, or several when the delivery carries several users.
struct NewDelivery: Sendable {
    /// In the delivery's order; at least one.
    let events: [NewEvent]

    init(_ event: NewEvent) { self.events = [event] }

    /// Makes one event for each change. The first takes its id from `first`; the others get ids of their own. Without a
    /// change `first` alone is stored.
    init(_ first: NewEvent, asking changes: [UserChange]) {
        var events: [NewEvent] = []
        for (place, change) in changes.enumerated() {
            events.append(
                NewEvent(
                    id: place == 0 ? first.id : EventID(at: first.receivedAt), source: first.source,
                    deliveryID: first.deliveryID, item: Int32(place), first: place == 0 ? nil : first.id,
                    receivedAt: first.receivedAt, owner: first.owner, change: change))
        }
        self.events = events.isEmpty ? [first] : events
    }

    var source: SourceID { self.events[0].source }
    /// The delivery's id with its source, so that no two deliveries share it.
    var key: String { "\(self.source.rawValue)\(self.events[0].deliveryID)" }
    var users: [UserKey] { self.events.compactMap { $0.change?.user } }
}
