// SPDX-License-Identifier: Apache-2.0
// An event on its way into the ledger: its sender is proven and its payload read.

import Foundation
import Model

/// One row of the ledger, before it is stored.
struct NewEvent: Sendable {
    private(set) var id: EventID
    let source: SourceID
    /// As the ledger has it.
    let deliveryID: String
    /// The event's place in its delivery, from 0.
    var item: Int32 = 0
    /// The event at place 0 of the delivery; nil when this is that event.
    var first: EventID?
    let receivedAt: Date
    private(set) var change: UserChange
    /// The word stands in an update, as "is active". It brings in who is unknown, and undoes no operator's revoke and
    /// no other source's. Only a sign-up may be weak.
    var isWeak = false
    /// The revoke counts as of its arrival, as the database's clock has it under the user's lock.
    var isByArrival = false
    /// The version of the source's mapping that has read it; nil when its form is our own.
    var mappingVersion: Int32?
    /// The secret whose proof held; nil when that is not known.
    var secret: UUID?
    /// What it calls the user; nil: nothing, or the source keeps no names.
    var name: NewName?
    /// The sender's own id of the delivery, where `deliveryID` is a hash of it.
    var sentID: String?
    /// What the ledger may have in place of `deliveryID`: the source's proofs were of another kind. Nil: nothing.
    var formerID: String?

    /// The same event, for one that is in quarantine.
    func replaying(_ known: EventID) -> NewEvent {
        var event = self
        event.id = known
        return event
    }

    /// A revoke that counts as of its arrival came with the event at item 0.
    func beside(_ head: EventID, arrivedAt: Date) -> NewEvent {
        var event = self
        event.first = head
        if event.isByArrival { (event.change.occurredAt, event.isByArrival) = (arrivedAt, false) }
        return event
    }

    var tenant: String { self.change.user.tenant.rawValue }
}
