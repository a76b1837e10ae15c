// SPDX-License-Identifier: Apache-2.0
// A sign-up or its opposite, whatever the source's payload: which user, what is wanted now, and since when.

package import Foundation

/// The change that one item of one delivery asks for.
package struct UserChange: Sendable, Equatable {
    package var user: UserKey
    package var wanted: Wanted
    /// The sender's own time of the change. It orders a create and a delete that arrive in the wrong order.
    package var occurredAt: Date?

    package init(user: UserKey, wanted: Wanted, occurredAt: Date?) {
        self.user = user
        self.wanted = wanted
        self.occurredAt = occurredAt
    }
}
