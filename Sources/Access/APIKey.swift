// SPDX-License-Identifier: Apache-2.0
// The form of an API key: a public id, a secret, and a checksum that tells a typing error from a wrong key without a
// look-up.

package import Model

/// `dtk_<id>_<secret><crc>`: 12 base62 characters, 43 base62 characters (256 bits), CRC-32 of all before it as 6 of
/// base62.
package struct APIKey: Sendable {
    package let id: String
    package let secret: Secret<String>

    private static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    /// A new key from random bytes (the system's generator unless a test gives its own).
    package static func make(using generator: inout some RandomNumberGenerator) -> APIKey {
        func random(_ count: Int) -> String {
            String(
                decoding: (0..<count).map { _ in Self.alphabet[Int.random(in: 0..<62, using: &generator)] },
                as: UTF8.self)
        }
        return APIKey(id: random(12), secret: Secret(random(43)))
    }

    /// The key as its owner gets it.
    package var text: Secret<String> {
        self.secret.map { secret in
            let body = "dtk_\(self.id)_\(secret)"
            return body + Self.checksum(body)
        }
    }

    /// Reads a key. Nil for anything that was never one: wrong form or wrong checksum.
    package init?(_ text: String) {
        let parts = text.split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "dtk", parts[1].utf8.count == 12, parts[2].utf8.count == 49,
            Self.checksum(String(text.dropLast(6))) == text.suffix(6)
        else { return nil }
        self.init(id: String(parts[1]), secret: Secret(String(parts[2].dropLast(6))))
    }

    private init(id: String, secret: Secret<String>) {
        self.id = id
        self.secret = secret
    }

    static func checksum(_ text: String) -> String {
        var crc = CRC32.checksum(Array(text.utf8))
        var digits: [UInt8] = []
        for _ in 0..<6 {
            digits.append(Self.alphabet[Int(crc % 62)])
            crc /= 62
        }
        return String(decoding: digits.reversed(), as: UTF8.self)
    }
}

/// CRC-32 as in ISO 3309 and zlib (polynomial 0xEDB88320, reflected).
enum CRC32 {
    static func checksum(_ bytes: [UInt8]) -> UInt32 {
        var crc = ~UInt32(0)
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0xEDB8_8320 : crc >> 1 }
        }
        return ~crc
    }
}
