// SPDX-License-Identifier: Apache-2.0
// The error of a command that was asked for a thing that does not exist.

import Composition
import Directory
import Model

struct NotFound: Error, CustomStringConvertible {
    let what: String
    var description: String { "there is no \(self.what)" }
}

/// There is no such user; the reason says what the tenant's sources were refused lately.
struct UnknownUser: Error, CustomStringConvertible {
    let user: UserKey
    let why: Why?

    var description: String {
        let lately = self.why.map { "; the user \($0.text)\(WhyLine($0).rest)" } ?? ""
        return "there is no user \(self.user.user) of tenant \(self.user.tenant)\(lately)"
    }
}
