// SPDX-License-Identifier: Apache-2.0
// One page of a tenant's users, and where the next page begins.

package struct UserPage: Sendable {
    package let users: [UserEntry]
    /// The end of this page; nil on the last page.
    package let next: UserCursor?

    package init(users: [UserEntry], next: UserCursor?) {
        self.users = users
        self.next = next
    }
}
