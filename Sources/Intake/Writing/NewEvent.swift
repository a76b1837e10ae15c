// SPDX-License-Identifier: Apache-2.0
// Proven, readable events on their way into the ledger: those of one delivery stay together.

import Foundation
import Model

struct NewEvent: Sendable {
    let id: EventID
    let source: SourceID
    let deliveryID: String
    /// Its place in the delivery, from 0, and the event at 0 when that is another.
    var item: Int32 = 0
    var first: EventID?
    let receivedAt: Date
    /// Whose ledger an ignored event goes to: the source's tenant, or '-' for a source of several.
    let owner: String
    /// Nil when the event asks nothing of us.
    var change: UserChange?

    var tenant: String { self.change?.user.tenant.rawValue ?? self.owner }
}

/// What one delivery asks for: one event, or several when it carries several users. Stored together or not at all.
struct NewDelivery: Sendable {
    /// In the delivery's order; never none.
    let events: [NewEvent]

    init(_ event: NewEvent) { self.events = [event] }

    /// `first` and as many more as there are sign-ups beside the first.
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
    /// What tells it from every other delivery.
    var key: String { "\(self.source.rawValue)\(self.events[0].deliveryID)" }
    var users: [UserKey] { self.events.compactMap { $0.change?.user } }
}
