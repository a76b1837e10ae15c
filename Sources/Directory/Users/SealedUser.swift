// SPDX-License-Identifier: Apache-2.0
// A user as the database gives it: the SIP username and the name are still sealed.

import Foundation
import Model
import Postgres

/// One row of `UserSelect.columns`. An export reads the next rows while it opens these.
package struct SealedUser: Sendable {
    let user: UserKey
    let status: UserStatus
    let generation: Generation
    let receivedAt: Date
    let readyAt: Date?
    let credential: ProviderID?
    let tag: String?
    let username: Bytes?
    let name: Bytes?
    /// Where a list goes on behind this user.
    let place: UserPlace

    /// Reads the rest of a row, in the order of its columns.
    init(_ tenant: TenantID, _ columns: inout PostgresColumns) throws {
        self.user = UserKey(tenant: tenant, user: try columns.next())
        self.status = try columns.next()
        self.generation = try columns.next()
        self.receivedAt = try columns.next()
        self.readyAt = try columns.next()
        self.credential = try columns.next()
        self.tag = try columns.next()
        self.username = try columns.next()
        self.place = UserPlace(user: self.user.user, received: try columns.next())
        self.name = try columns.next()
    }
}

package struct SealedPage: Sendable {
    package let users: [SealedUser]
    /// As that of `UserPage`.
    package let next: UserPlace?

    package init(users: [SealedUser], next: UserPlace?) {
        self.users = users
        self.next = next
    }
}
