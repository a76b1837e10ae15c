// SPDX-License-Identifier: Apache-2.0
// A public key that stands in a source's configuration, in PEM.

import Crypto
import CryptoExtras
import Foundation
import Model

/// `-----BEGIN PUBLIC KEY-----` and SubjectPublicKeyInfo (RFC 7468 section 13), read once.
struct PublicKeyText: Sendable, Equatable {
    private let text: String
    let value: VerificationKey

    static func == (one: Self, other: Self) -> Bool { one.text.utf8.elementsEqual(other.text.utf8) }

    /// Throws where the text is no key of the kind that `algorithm` takes.
    init(_ text: String, for algorithm: TokenAlgorithm, at place: String) throws(InvalidValue) {
        self.text = text
        guard let value = Self.key(text, algorithm.family) else {
            throw InvalidValue(
                place, "must be a public key for \(algorithm.rawValue) in PEM (-----BEGIN PUBLIC KEY-----)")
        }
        self.value = value
    }

    private static func key(_ text: String, _ family: TokenAlgorithm.Family) -> VerificationKey? {
        guard text.hasPrefix("-----BEGIN PUBLIC KEY-----") else { return nil }
        return switch family {
        case .hmac: nil
        case .rsa: (try? _RSA.Signing.PublicKey(pemRepresentation: text)).flatMap(VerificationKey.init(rsa:))
        case .p256: (try? P256.Signing.PublicKey(pemRepresentation: text)).map(VerificationKey.p256)
        case .p384: (try? P384.Signing.PublicKey(pemRepresentation: text)).map(VerificationKey.p384)
        case .ed25519: Self.ed25519(text).map(VerificationKey.ed25519)
        }
    }

    /// RFC 8410 section 4: these twelve bytes stand in front of the 32 of every key.
    private static let ed25519Prefix: [UInt8] = [
        0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00,
    ]

    private static func ed25519(_ text: String) -> Curve25519.Signing.PublicKey? {
        let lines = text.split(whereSeparator: \.isNewline)
        guard lines.count >= 3, lines[lines.count - 1] == "-----END PUBLIC KEY-----" else { return nil }
        let letters = lines.dropFirst().dropLast().flatMap { Array($0.utf8) }
        guard let bytes = ByteText.base64(letters, .standard), bytes.starts(with: Self.ed25519Prefix) else {
            return nil
        }
        return try? Curve25519.Signing.PublicKey(rawRepresentation: bytes.dropFirst(Self.ed25519Prefix.count))
    }
}

extension VerificationKey {
    /// Bits of an RSA key. A shorter one can be broken, and a longer one costs a millisecond for each forgery.
    static let rsaBits = 2048...8192

    /// Nil for a key that is too short or too long.
    init?(rsa key: _RSA.Signing.PublicKey) {
        guard Self.rsaBits.contains(key.keySizeInBits) else { return nil }
        self = .rsa(key)
    }
}
