// SPDX-License-Identifier: Apache-2.0
// Where a page of users ends, and where the next one begins.

import Foundation
package import Model

/// The last user that a page has looked at. It may be one that the filter has left out.
package struct UserPlace: Sendable, Equatable {
    package let user: UserID
    /// When that user's sign-up arrived, in microseconds since 1970.
    package let received: Int64

    package init(user: UserID, received: Int64) {
        self.user = user
        self.received = received
    }

    /// Reads the cursor of a list. Throws for one of another tenant, filter or order.
    package init(_ cursor: String, of list: UserList) throws(InvalidValue) {
        let parts = try ListCursor.place(cursor, of: list.words, count: 2)
        guard let received = Int64(parts[0]), let user = UserID(rawValue: parts[1]) else {
            throw InvalidValue("after", "must be the next of an earlier page")
        }
        self.init(user: user, received: received)
    }

    package func cursor(of list: UserList) -> String {
        ListCursor(list: list.words, place: ["\(self.received)", self.user.rawValue]).text
    }
}

/// A list of users: whose, which of them, and in which order.
package struct UserList: Sendable, Equatable {
    package var tenant: TenantID
    package var filter: UserFilter
    package var order: UserOrder

    package init(of tenant: TenantID, _ filter: UserFilter = UserFilter(), order: UserOrder = .id) {
        self.tenant = tenant
        self.filter = filter
        self.order = order
    }

    /// The list in words; two lists with the same words are the same.
    var words: String { "\(self.tenant) users \(self.order.rawValue) \(self.filter.words)" }
}
