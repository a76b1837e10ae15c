// SPDX-License-Identifier: Apache-2.0
// What an operator hears of a replay: what was read then, what is read now, and what comes of it.

import Foundation
package import Model

/// What became of the events that an operator has tried at once.
package struct ReplayRun: Sendable {
    package var reports: [ReplayReport] = []
    /// What has ended the run before its end; nil: all were tried. What is reported was done all the same.
    package var failure: (any Error)?

    package init() {}
}

package struct ReplayReport: Sendable, Equatable {
    package enum Outcome: String, Sendable {
        /// It is out of quarantine, with the effect that is told.
        case replayed
        /// Today's mapping passes it: it asks nothing, and is out of quarantine.
        case ignored
        /// Today's mapping cannot use it either. It stays.
        case stays
        /// Somebody else has settled it.
        case settled
        /// It cannot be tried at all.
        case impossible
    }

    package struct Then: Sendable, Equatable {
        /// What the mapping read, by its names; nil when that is cleared.
        package let picks: [String: String]?
        package let reason: String
        /// The place in the body; nil: none.
        package let place: String?
        /// The mapping's version.
        package let version: Int32
    }

    package struct Now: Sendable, Equatable {
        package var picks: [String: String]
        /// Why it cannot be used; nil: it can.
        package var reason: String?
        package var place: String?
        package var version: Int32
    }

    /// A user of whom something else is wanted by this event.
    package struct Change: Sendable, Equatable {
        package let user: UserKey
        package let wanted: Wanted
        package let generation: Generation
    }

    package struct Effect: Sendable, Equatable {
        /// As the ledger has the event now: its outcome, and why.
        package var outcome: String
        package var detail: String?
        package var users: [Change]
        /// Events that the mapping reads there besides this one, and that are new.
        package var further: Int
    }

    package let event: EventID
    package let outcome: Outcome
    /// Why nothing was done; nil: something was.
    package var reason: String?
    package let then: Then
    package var now: Now?
    package var effect: Effect?

    static func picks(_ text: String?) -> [String: String]? {
        text.flatMap { try? JSONDecoder().decode([String: String].self, from: Data($0.utf8)) }
    }
}
