// SPDX-License-Identifier: Apache-2.0
// Where the next page of users begins: the last user id of this page, opaque to the caller.

import Foundation
import Model

/// A user id in base64url without padding (RFC 4648 section 5). A cursor is used only within the tenant of its request.
enum Cursor {
    static func text(_ user: UserID) -> String {
        Data(user.rawValue.utf8).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
            .replacing("=", with: "")
    }

    static func read(_ text: String) throws(Problem) -> UserID {
        var padded = text.replacing("-", with: "+").replacing("_", with: "/")
        while padded.utf8.count % 4 != 0 { padded += "=" }
        guard let data = Data(base64Encoded: padded), let name = String(validating: data, as: UTF8.self),
            let user = UserID(rawValue: name)
        else { throw Problem(400, "invalid_cursor", "after must be the next of an earlier page") }
        return user
    }
}
