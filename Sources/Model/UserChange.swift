// SPDX-License-Identifier: Apache-2.0
// A sign-up (or its opposite) as every source's payload ends up: who, what is wanted now, and since when.

package import Foundation

/// What one item of one delivery asks for.
package struct UserChange: Sendable, Equatable {
    package var user: UserKey
    package var wanted: Wanted
    /// The sender's own time of the change; orders a create and a delete that arrive the wrong way round.
    package var occurredAt: Date?

    package init(user: UserKey, wanted: Wanted, occurredAt: Date?) {
        self.user = user
        self.wanted = wanted
        self.occurredAt = occurredAt
    }
}
