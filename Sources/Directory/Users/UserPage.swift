// SPDX-License-Identifier: Apache-2.0
// One page of a tenant's users, and where the next page begins.

package struct UserPage: Sendable {
    package let users: [UserEntry]
    /// Where the next page begins; nil on the last page. A page may be short and have a next one, because a page looks
    /// at so many users only.
    package let next: UserPlace?

    package init(users: [UserEntry], next: UserPlace?) {
        self.users = users
        self.next = next
    }
}

/// How many users a filter lets through.
package struct UserCount: Sendable, Codable, Equatable {
    package let count: Int
    /// Whether there are no more than these.
    package let exact: Bool

    /// No count goes further.
    package static let most = 10_000
}
