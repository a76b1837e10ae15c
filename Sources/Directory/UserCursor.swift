// SPDX-License-Identifier: Apache-2.0
// Where the next page of users begins: the same opaque text over HTTP and on the command line.

import Foundation
package import Model

/// The end of a page of one list: the users of a tenant, or those of them with one status.
package struct UserCursor: Sendable, Equatable {
    package let tenant: TenantID
    package let status: UserStatus?
    /// The last user of the page.
    package let user: UserID

    package init(tenant: TenantID, status: UserStatus?, user: UserID) {
        self.tenant = tenant
        self.status = status
        self.user = user
    }

    /// `c1.` and, in base64url without padding (RFC 4648 section 5), three lines: tenant, status and user. No id holds
    /// a line's end.
    package var text: String {
        let lines = "\(self.tenant)\n\(self.status?.rawValue ?? "")\n\(self.user)"
        return Self.version
            + Data(lines.utf8).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
            .replacing("=", with: "")
    }

    /// Returns the user after whom the page begins. Throws for a text that is no cursor, and for the cursor of another
    /// list: it would begin in the middle of nowhere.
    package static func user(
        _ text: String, of tenant: TenantID, status: UserStatus?
    ) throws(InvalidValue) -> UserID {
        guard let cursor = Self(text) else {
            throw InvalidValue("after", "must be the next of an earlier page")
        }
        guard cursor.tenant == tenant, cursor.status == status else {
            throw InvalidValue("after", "is the next of another list: the tenant and the status must be the same")
        }
        return cursor.user
    }

    private static let version = "c1."

    private init?(_ text: String) {
        guard text.hasPrefix(Self.version) else { return nil }
        var padded = String(text.dropFirst(Self.version.count)).replacing("-", with: "+").replacing("_", with: "/")
        while padded.utf8.count % 4 != 0 { padded += "=" }
        guard let data = Data(base64Encoded: padded), let lines = String(validating: data, as: UTF8.self) else {
            return nil
        }
        let parts = lines.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, let tenant = TenantID(rawValue: parts[0]), let user = UserID(rawValue: parts[2])
        else { return nil }
        let status = UserStatus(rawValue: parts[1])
        guard status != nil || parts[1].isEmpty else { return nil }
        self.init(tenant: tenant, status: status, user: user)
    }
}
