// SPDX-License-Identifier: Apache-2.0
// Which names and addresses are kept of those that a sender tells: what a person can read, and no more.

import Model

/// Nobody loses a credential over a name that cannot be shown: it counts as none.
extension PersonName {
    /// Nil: neither can be kept.
    init?(told name: String?, email: String?) {
        self.init(
            name: name.flatMap { Self.isReadable($0) ? $0 : nil },
            email: email.flatMap { Self.isReadable($0) && Self.isAddress($0) ? $0 : nil })
        guard self.name != nil || self.email != nil else { return nil }
    }

    /// Whether a text has 1 to 255 bytes, all of them visible.
    static func isReadable(_ text: String) -> Bool {
        (1...255).contains(text.utf8.count) && VisibleText.isVisible(text)
    }

    /// Where some people have an address, others of the same sender have a phone number or a login.
    static func isAddress(_ text: String) -> Bool { text.utf8.contains(UInt8(ascii: "@")) }
}

extension Word {
    /// What the word calls its person, on its way into the ledger. Nil: nothing, or the source keeps no names.
    var newName: NewName? { PersonName(told: self.displayName, email: self.email).map { NewName(told: $0) } }
}
