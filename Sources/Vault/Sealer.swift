// SPDX-License-Identifier: Apache-2.0
// Seals values and makes their blind indexes with a tenant's keys in hand.

import Crypto
import Foundation

/// Seals without waiting, for one tenant.
package struct Sealer: Sendable {
    private let record: TenantKey
    private let index: TenantKey

    package init(record: TenantKey, index: TenantKey) {
        self.record = record
        self.index = index
    }

    package func seal(_ plaintext: String, _ binding: SealedBinding) throws -> [UInt8] {
        let salt = SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }
        return try RecordCipher.seal(Array(plaintext.utf8), under: self.record, binding, salt: salt)
    }

    /// Returns a keyed hash by which a value can be found without opening any.
    ///
    /// It is HMAC-SHA256 cut to 16 bytes, over the value in NFC and lower case. Its key is HKDF-SHA256(index key,
    /// "tcs/bidx/v1" ‖ column), with the former name that `Vault` explains.
    package func blindIndex(_ value: String, column: String) -> [UInt8] {
        let key = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: self.index.key, info: Array("tcs/bidx/v1\(column)".utf8), outputByteCount: 32)
        // ASCII is its own canonical composition, and the mapping is slow.
        let composed = value.utf8.allSatisfy { $0 < 0x80 } ? value : value.precomposedStringWithCanonicalMapping
        let normal = composed.lowercased()
        return Array(HMAC<SHA256>.authenticationCode(for: Array(normal.utf8), using: key).prefix(16))
    }
}
