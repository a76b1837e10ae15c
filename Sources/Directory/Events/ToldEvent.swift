// SPDX-License-Identifier: Apache-2.0
// One event of a tenant as the tenant may see it: what was said of which user, and what it came to.

package import Foundation
package import Model

package struct ToldEvent: Sendable, Codable, Equatable {
    package let eventID: String
    package let receivedAt: Date
    /// The sender's own time; null: it gave none.
    @OrNull package var occurredAt: Date?
    /// The source's name; null: it was deleted, or serves several tenants.
    @OrNull package var source: String?
    @OrNull package var userID: String?
    package let deliveryID: String
    package let item: Int32
    @OrNull package var wanted: String?
    package let outcome: String
    @OrNull package var detail: String?
    /// Why it is in quarantine, and the place of what could not be used; null: it is not there.
    @OrNull package var reason: String?
    @OrNull package var pointer: String?

    enum CodingKeys: String, CodingKey {
        case source, item, wanted, outcome, detail, reason, pointer
        case eventID = "event_id"
        case receivedAt = "received_at"
        case occurredAt = "occurred_at"
        case userID = "user_id"
        case deliveryID = "delivery_id"
    }
}

/// What an event has come to, as a tenant is told: the stored outcomes, and `waiting`.
package enum ToldOutcome: String, Sendable, CaseIterable {
    case accepted
    case duplicate
    case superseded
    /// It tells of a person who still waits for a membership.
    case waiting
    case ignored
    case quarantined
}

/// Which events a list is about. Each member that is set narrows it.
package struct EventFilter: Sendable, Equatable {
    package var outcome: Set<ToldOutcome> = []
    package var user: UserID?
    package var source: String?
    package var receivedAfter: Date?
    package var receivedBefore: Date?

    package init() {}

    var words: String {
        let parts: [(String, String?)] = [
            ("outcome", self.outcome.isEmpty ? nil : self.outcome.map(\.rawValue).sorted().joined(separator: ",")),
            ("user", self.user?.rawValue), ("source", self.source),
            ("received_after", self.receivedAfter.map { "\($0.timeIntervalSince1970)" }),
            ("received_before", self.receivedBefore.map { "\($0.timeIntervalSince1970)" }),
        ]
        return parts.compactMap { name, value in value.map { "\(name)=\($0)" } }.joined(separator: " ")
            .replacing("\n", with: " ")
    }
}
