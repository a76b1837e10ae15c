// SPDX-License-Identifier: Apache-2.0
// An event on its way into the ledger: its sender is proven and its payload read.

import Foundation
import Model

/// One row of the ledger, before it is stored.
struct NewEvent: Sendable {
    let id: EventID
    let source: SourceID
    let deliveryID: String
    /// The event's place in its delivery, from 0.
    var item: Int32 = 0
    /// The event at place 0 of the delivery; nil when this is that event.
    var first: EventID?
    let receivedAt: Date
    let change: UserChange

    var tenant: String { self.change.user.tenant.rawValue }
}
