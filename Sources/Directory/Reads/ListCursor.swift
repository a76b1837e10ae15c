// SPDX-License-Identifier: Apache-2.0
// Where the next page of a list begins: an opaque text, the same over HTTP and on the command line.

import Foundation
package import Model

/// The end of a page of one list. A list is a route of one tenant with one filter and one order.
///
/// Keys in order need no secret: a cursor holds what the page before has shown, and the tenant is checked anew.
package struct ListCursor: Sendable, Equatable {
    /// The list in words, such as `acme users status=failed`. It must not hold a line's end.
    package let list: String
    /// What the last row of the page is found by, in the list's order.
    package let place: [String]

    package init(list: String, place: [String]) {
        self.list = list
        self.place = place
    }

    /// `c1.` and, in base64url without padding (RFC 4648 section 5), lines: the list's fingerprint and the place. No id
    /// holds a line's end.
    package var text: String {
        let lines = ([Self.fingerprint(self.list)] + self.place).joined(separator: "\n")
        return Self.version
            + Data(lines.utf8).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
            .replacing("=", with: "")
    }

    /// Returns where the page begins. Throws for a text that is no cursor, and for the cursor of another list: it would
    /// begin in the middle of nowhere. `count`: how many parts a place of this list has.
    package static func place(
        _ text: String, of list: String, count: Int
    ) throws(InvalidValue) -> [String] {
        guard let lines = Self.lines(text), lines.count == count + 1 else {
            throw InvalidValue("after", "must be the next of an earlier page")
        }
        guard lines[0] == Self.fingerprint(list) else {
            throw InvalidValue("after", "is the next of another list: tenant, filters and order must be the same")
        }
        return Array(lines.dropFirst())
    }

    private static let version = "c1."

    private static func lines(_ text: String) -> [String]? {
        guard text.hasPrefix(Self.version), text.utf8.count <= 4096 else { return nil }
        var padded = String(text.dropFirst(Self.version.count)).replacing("-", with: "+").replacing("_", with: "/")
        while padded.utf8.count % 4 != 0 { padded += "=" }
        guard let data = Data(base64Encoded: padded), let lines = String(validating: data, as: UTF8.self) else {
            return nil
        }
        return lines.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    /// FNV-1a, 64 bits (the hash of Fowler, Noll and Vo). It tells lists apart, and protects nothing.
    private static func fingerprint(_ list: String) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in list.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return String(hash, radix: 36)
    }
}
