// SPDX-License-Identifier: Apache-2.0
// The name of a credential at the provider: computed from its owner and generation alone, so that any look finds it.

import Crypto
package import Foundation
package import Model

/// `dt-<8 characters of the installation>-<base32 of SHA-256(installation ‖ tenant ‖ user ‖ generation)>`.
///
/// Each part of the hash has its length before it (four bytes, big endian), so that no two keys share an input. The
/// user's id cannot be read from the name. A re-run, a second node or a restored backup makes the same name.
package struct CredentialName: Sendable {
    /// The installation whose names these are.
    let id: UUID
    private let installation: [UInt8]
    private let prefix: String

    package init(installation: UUID) {
        self.id = installation
        self.installation = withUnsafeBytes(of: installation.uuid) { Array($0) }
        self.prefix = "dt-\(Self.base32(self.installation.prefix(5)))-"
    }

    package func name(for user: UserKey, generation: Generation) -> String {
        var hash = SHA256()
        for part in [self.installation, Array(user.tenant.rawValue.utf8), Array(user.user.rawValue.utf8)] {
            hash.update(data: Self.bytes(UInt32(part.count)))
            hash.update(data: part)
        }
        hash.update(data: Self.bytes(4))
        hash.update(data: Self.bytes(UInt32(bitPattern: generation)))
        return self.prefix + Self.base32(Array(hash.finalize()))
    }

    /// A name that no credential has, to ask the provider something cheap.
    var probe: String { self.prefix + "probe" }

    /// Whether a name at the provider was made by this installation.
    package func isOurs(_ name: String) -> Bool { name.hasPrefix(self.prefix) }

    private static func bytes(_ number: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
    }

    /// RFC 4648 base32, lower case, without padding.
    private static func base32(_ bytes: some Sequence<UInt8>) -> String {
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)
        var text: [UInt8] = []
        var bits = 0
        var held: UInt32 = 0
        for byte in bytes {
            held = held << 8 | UInt32(byte)
            bits += 8
            while bits >= 5 {
                bits -= 5
                text.append(alphabet[Int(held >> UInt32(bits)) & 31])
            }
        }
        if bits > 0 { text.append(alphabet[Int(held << UInt32(5 - bits)) & 31]) }
        return String(decoding: text, as: UTF8.self)
    }
}
