// SPDX-License-Identifier: Apache-2.0
// Reads a header that a proof needs: it is there once, and the blanks around it are no part of it.

import Foundation

/// Returns all values of a header, by its lower-case name.
package typealias Headers = (String) -> [String]

enum HeaderValue {
    /// Returns the one value of a header.
    static func single(_ name: String, _ headers: Headers) throws(ProofFailure) -> String {
        try Self.single(headers(name), of: name)
    }

    /// Returns the value of the one header of `names` that is there. Two of them at once are refused: the sender uses
    /// one, so somebody else has added the other.
    static func single(
        of names: [String], _ headers: Headers
    ) throws(ProofFailure) -> (name: String, value: String) {
        var found: (name: String, values: [String])?
        for name in names {
            let values = headers(name)
            if values.isEmpty { continue }
            if let found { throw ProofFailure(.repeated, "\(found.name) and \(name) are both there") }
            found = (name, values)
        }
        guard let found else { throw ProofFailure(.missing, "\(names.joined(separator: " or ")) is missing") }
        return (found.name, try Self.single(found.values, of: found.name))
    }

    static func single(_ values: [String], of name: String) throws(ProofFailure) -> String {
        guard let value = values.first else { throw ProofFailure(.missing, "\(name) is missing") }
        guard values.count == 1 else { throw ProofFailure(.repeated, "\(name) is there more than once") }
        let trimmed = Self.trimmed(value)
        guard !trimmed.isEmpty else { throw ProofFailure(.missing, "\(name) is empty") }
        return trimmed
    }

    /// Returns the value without the blanks around it (RFC 9110 section 5.5).
    static func trimmed(_ value: String) -> String {
        guard value.utf8.first.map(Self.isBlank) == true || value.utf8.last.map(Self.isBlank) == true else {
            return value
        }
        return value.trimmingCharacters(in: CharacterSet(charactersIn: " \t"))
    }

    /// Returns what follows an authentication scheme and its blanks (RFC 9110 section 11.4). The scheme's case does not
    /// matter.
    static func credentials(
        in value: String, of header: String, scheme: String
    ) throws(ProofFailure) -> Substring {
        let bytes = value.utf8
        let given = bytes.prefix { !Self.isBlank($0) }
        guard String(Substring(given)).lowercased() == scheme.lowercased(), given.endIndex < bytes.endIndex else {
            throw ProofFailure(.malformed, "\(header) must be the source's scheme, a blank and the credentials")
        }
        return Substring(bytes[given.endIndex...].drop(while: Self.isBlank))
    }

    /// RFC 9110 section 5.6.3 (OWS): a space or a tab.
    static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
}
