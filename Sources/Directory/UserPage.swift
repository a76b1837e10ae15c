// SPDX-License-Identifier: Apache-2.0
// One page of a tenant's users, and where the next page begins.

package import Model

package struct UserPage: Sendable {
    package let users: [UserEntry]
    /// The last user of this page; nil on the last page.
    package let next: UserID?

    package init(users: [UserEntry], next: UserID?) {
        self.users = users
        self.next = next
    }
}
