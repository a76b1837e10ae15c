// SPDX-License-Identifier: Apache-2.0
// One event of the ledger as an operator sees it, and all that is known of one.

package import Foundation
package import Model

package struct EventEntry: Sendable, Equatable {
    package let id: EventID
    package let receivedAt: Date
    /// The sender's time; nil: it gave none. Of an unmapped event it may be that of its arrival.
    package let occurredAt: Date?
    /// The source's name; nil: it was deleted.
    package let source: String?
    /// Nil: it names none, or none is known.
    package let tenant: TenantID?
    /// Nil: it could not be read. Of an event in quarantine it is what the mapping has read.
    package let user: String?
    /// The source's own id of the organisation; in quarantine as `user`.
    package let organization: String?
    package let deliveryID: String
    package let item: Int32
    /// What it asks for; nil as `user`.
    package let wanted: Wanted?
    package let outcome: EventOutcome
    package let detail: String?
    /// Why it is in quarantine; nil: it is not.
    package let reason: String?
    /// The place of what could not be used.
    package let place: String?
    /// Tenants that it does not name and in which it did something, four at most.
    package let tenants: [TenantID]
}

package struct EventEntryPage: Sendable, Equatable {
    package let entries: [EventEntry]
    /// The next page has what is older than this event; nil on the last page.
    package let next: EventID?

    /// `found` has one more than the page holds, where there is a next page. `lookedAt`: the last event that was looked
    /// at, where older ones were not.
    init(_ found: [EventEntry], limit: Int, lookedAt: EventID?) {
        self.entries = Array(found.prefix(limit))
        self.next = found.count > limit ? self.entries.last?.id : lookedAt
    }
}

package struct EventDetail: Sendable, Equatable {
    package let entry: EventEntry
    package let sourceID: SourceID
    /// The version of the mapping that read it; nil: its form is our own.
    package let version: Int32?
    /// The secret whose proof held, by its id.
    package let secret: UUID?
    /// What it did in tenants that it does not name.
    package let effects: [EventEffect]
    /// The users whose present wish it is behind.
    package let causes: [ReplayReport.Change]
    /// Nil: it never was in quarantine.
    package let quarantine: QuarantineDetail?
}

package struct EventEffect: Sendable, Equatable {
    package let user: UserKey
    package let wanted: Wanted
}

package struct QuarantineDetail: Sendable, Equatable {
    package let read: ReplayReport.Then
    package let arrivedAt: Date
    package let size: Int32
    package let sha256: String
    /// Whether the body is there to be tried again.
    package let hasBody: Bool
    /// Why it cannot be tried again; nil: it can.
    package let hindrance: String?
    package let settledBy: String?
    package let settledAt: Date?
}
