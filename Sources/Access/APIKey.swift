// SPDX-License-Identifier: Apache-2.0
// The form of an API key: a public id, a secret, and a checksum that shows a typing error without a look-up.

package import Model

/// `dtk_<id>_<secret><crc>`, all in base62: the id has 12 characters, the secret 43 (256 bits). The CRC-32 of
/// everything before it has 6.
package struct APIKey: Sendable {
    package let id: String
    package let secret: Secret<String>

    private static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    /// Makes a key from random numbers: the system's generator, unless a test gives its own.
    package static func make(using generator: inout some RandomNumberGenerator) -> APIKey {
        func random(_ count: Int) -> String {
            String(
                decoding: (0..<count).map { _ in Self.alphabet[Int.random(in: 0..<62, using: &generator)] },
                as: UTF8.self)
        }
        return APIKey(id: random(12), secret: Secret(random(43)))
    }

    /// The whole key, as its owner gets it.
    package var text: Secret<String> {
        self.secret.map { secret in
            let body = "dtk_\(self.id)_\(secret)"
            return body + Self.checksum(body)
        }
    }

    /// Reads a key. Nil for text that was never a key: its form or its checksum is wrong.
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

    /// Returns the CRC-32 of `text` as 6 characters of base62.
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
