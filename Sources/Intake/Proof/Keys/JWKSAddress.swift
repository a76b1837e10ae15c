// SPDX-License-Identifier: Apache-2.0
// Where a sender publishes its keys: an address that may be fetched without harm.

import Foundation
package import Model

/// An `https` address. Whoever fetches it asks `PublicAddress` about each address that its name leads to, and follows
/// no redirect.
package struct JWKSAddress: Sendable, Hashable, CustomStringConvertible {
    package let text: String
    /// The name or address of the server, without the brackets of an IPv6 address.
    package let host: String

    /// As it may stand in a log: without a query, which may hold a key of the operator's.
    package var description: String { String(self.text.prefix { $0 != "?" }) }

    private static let maximumBytes = 2048
    /// Bytes of "https://".
    private static let schemeBytes = 8

    /// Throws where the text is no such address. `place` names it in the error.
    package init(_ text: String, at place: String) throws(InvalidValue) {
        guard text.utf8.count <= Self.maximumBytes, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
            let parts = URLComponents(string: text), parts.scheme?.lowercased() == "https",
            let host = parts.host, !host.isEmpty
        else { throw InvalidValue(place, "must be an https address") }
        guard parts.user == nil, parts.password == nil, parts.fragment == nil else {
            throw InvalidValue(place, "must be an https address without a name, a password and a fragment")
        }
        guard Self.isPlain(host, in: text) else {
            throw InvalidValue(place, "must have a host of letters, digits, points and hyphens as they are")
        }
        guard Self.isPublic(host) else {
            throw InvalidValue(place, "must not lead to a private address")
        }
        self.text = text
        self.host = String(host.drop { $0 == "[" }.prefix { $0 != "]" })
    }

    /// Returns whether the host stands in the text as it was read. One reader decodes `%6c` or takes a backslash for a
    /// slash, and another one does not: they would ask two servers.
    private static func isPlain(_ host: String, in text: String) -> Bool {
        let authority = text.dropFirst(Self.schemeBytes).prefix { $0 != "/" && $0 != "?" }
        return authority.hasPrefix(host) && authority.utf8.allSatisfy(Self.isOfHost)
    }

    /// Whether the byte may stand in a name, an address or a port.
    private static func isOfHost(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "-._:[]".utf8.contains(byte)
        }
    }

    /// A name is looked up later. An address in its place is judged here, and so is a number that a resolver would take
    /// for one, such as 2130706433 or 0x7f.1.
    private static func isPublic(_ host: String) -> Bool {
        let name = host.lowercased()
        if name.hasPrefix("[") || name.contains(":") {
            return PublicAddress.isPublic(String(name.drop { $0 == "[" }.prefix { $0 != "]" }))
        }
        let labels = name.split(separator: ".")
        guard let last = labels.last else { return false }
        if last.utf8.allSatisfy({ (0x30...0x39).contains($0) }) || last.hasPrefix("0x") {
            return PublicAddress.isPublic(name)
        }
        return last != "localhost"
    }
}
