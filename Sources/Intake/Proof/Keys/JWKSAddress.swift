// SPDX-License-Identifier: Apache-2.0
// Where a sender publishes its keys: an address that may be fetched without harm.

import Foundation
package import Model

/// An `https` address. Whoever fetches it asks `PublicAddress` about each address that its name leads to, and follows
/// no redirect.
package struct JWKSAddress: Sendable, Hashable, CustomStringConvertible {
    package let text: String

    package var description: String { self.text }

    private static let maximumBytes = 2048

    /// Throws where the text is no such address. `place` names it in the error.
    package init(_ text: String, at place: String) throws(InvalidValue) {
        guard text.utf8.count <= Self.maximumBytes, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
            let parts = URLComponents(string: text), parts.scheme?.lowercased() == "https",
            let host = parts.host, !host.isEmpty
        else { throw InvalidValue(place, "must be an https address") }
        guard parts.user == nil, parts.password == nil, parts.fragment == nil else {
            throw InvalidValue(place, "must be an https address without a name, a password and a fragment")
        }
        guard Self.isPublic(host) else {
            throw InvalidValue(place, "must not lead to a private address")
        }
        self.text = text
    }

    /// A name is looked up later. An address in its place is judged here, and so is a number that a resolver would take
    /// for one, such as 2130706433 or 0x7f.1.
    private static func isPublic(_ host: String) -> Bool {
        let name = host.lowercased()
        if name.hasPrefix("[") || name.contains(":") {
            let literal = name.drop { $0 == "[" }.prefix { $0 != "]" }
            return Self.bytes(String(literal), AF_INET6, 16).map(PublicAddress.isPublic) ?? false
        }
        let labels = name.split(separator: ".")
        guard let last = labels.last else { return false }
        if last.utf8.allSatisfy({ (0x30...0x39).contains($0) }) || last.hasPrefix("0x") {
            return Self.bytes(name, AF_INET, 4).map(PublicAddress.isPublic) ?? false
        }
        return last != "localhost"
    }

    private static func bytes(_ literal: String, _ family: Int32, _ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        return inet_pton(family, literal, &bytes) == 1 ? bytes : nil
    }
}
