// SPDX-License-Identifier: Apache-2.0
// The public keys that a sender publishes, read from its JSON Web Key Set.

import Crypto
import CryptoExtras
import Foundation
package import Model

/// RFC 7517 section 5. Keys of a kind or for a use that is not known here are passed over, as it says.
package struct KeySet: Sendable {
    private struct Entry: Sendable {
        let id: String?
        /// What the key is for; nil where the set does not say.
        let algorithm: TokenAlgorithm?
        let key: VerificationKey
    }

    package static let maximumBytes = 65_536
    private static let maximumKeys = 64

    private let entries: [Entry]

    package var count: Int { self.entries.count }

    /// Throws where the document is no key set. One without a key that can be used is read: so a sender withdraws its
    /// keys.
    package init(_ document: [UInt8]) throws(InvalidValue) {
        guard document.count <= Self.maximumBytes else {
            throw InvalidValue("jwks", "is longer than \(Self.maximumBytes) bytes")
        }
        guard let set = try? JSONValue(parsing: document), case .array(let keys) = set["keys"] else {
            throw InvalidValue("jwks", "is no JSON Web Key Set: it has no list named keys")
        }
        guard keys.count <= Self.maximumKeys else {
            throw InvalidValue("jwks", "holds more than \(Self.maximumKeys) keys")
        }
        self.entries = keys.compactMap(Self.entry)
    }

    /// Returns the keys that may have signed. A token that names a key gets those of that name alone.
    func keys(named id: String?, for algorithm: TokenAlgorithm) -> [VerificationKey] {
        self.entries.filter { entry in
            entry.key.family == algorithm.family && (entry.algorithm == nil || entry.algorithm == algorithm)
                && (id == nil || entry.id.map { $0.utf8.elementsEqual((id ?? "").utf8) } == true)
        }.map(\.key)
    }

    private static func entry(_ value: JSONValue) -> Entry? {
        guard Self.isForSignatures(value), let key = Self.key(value) else { return nil }
        guard let name = value["alg"] else { return Entry(id: value["kid"]?.string, algorithm: nil, key: key) }
        guard let algorithm = name.string.flatMap(TokenAlgorithm.init(rawValue:)), algorithm.family == key.family
        else { return nil }
        return Entry(id: value["kid"]?.string, algorithm: algorithm, key: key)
    }

    /// RFC 7517 sections 4.2 and 4.3.
    private static func isForSignatures(_ value: JSONValue) -> Bool {
        if let use = value["use"], use != .string("sig") { return false }
        guard let operations = value["key_ops"] else { return true }
        guard case .array(let names) = operations else { return false }
        return names.contains(.string("verify"))
    }

    /// A symmetric key (`oct`) is never taken: what is published is no secret.
    private static func key(_ value: JSONValue) -> VerificationKey? {
        switch (value["kty"]?.string, value["crv"]?.string) {
        case ("RSA", _): Self.rsa(value)
        case ("EC", "P-256"):
            Self.point(value, bytes: 32)
                .flatMap { try? P256.Signing.PublicKey(x963Representation: $0) }.map(VerificationKey.p256)
        case ("EC", "P-384"):
            Self.point(value, bytes: 48)
                .flatMap { try? P384.Signing.PublicKey(x963Representation: $0) }.map(VerificationKey.p384)
        case ("OKP", "Ed25519"):
            Self.number(value["x"], bytes: 32...32)
                .flatMap { try? Curve25519.Signing.PublicKey(rawRepresentation: $0) }.map(VerificationKey.ed25519)
        default: nil
        }
    }

    /// RFC 7518 section 6.3.1. An even exponent or 1 would be no key at all; swift-crypto refuses them.
    private static func rsa(_ value: JSONValue) -> VerificationKey? {
        let sizes = VerificationKey.rsaBits.lowerBound / 8...VerificationKey.rsaBits.upperBound / 8 + 1
        guard let modulus = Self.number(value["n"], bytes: sizes), let exponent = Self.number(value["e"], bytes: 1...4),
            let key = try? _RSA.Signing.PublicKey(n: modulus, e: exponent)
        else { return nil }
        return VerificationKey(rsa: key)
    }

    /// RFC 7518 section 6.2.1: both coordinates in full length. As ANSI X9.63 writes a point.
    private static func point(_ value: JSONValue, bytes: Int) -> [UInt8]? {
        guard let x = Self.number(value["x"], bytes: bytes...bytes),
            let y = Self.number(value["y"], bytes: bytes...bytes)
        else { return nil }
        return [0x04] + x + y
    }

    private static func number(_ value: JSONValue?, bytes: ClosedRange<Int>) -> [UInt8]? {
        guard let text = value?.string, let number = ByteText.base64(text.utf8, .url), bytes.contains(number.count)
        else { return nil }
        return number
    }
}
