// SPDX-License-Identifier: Apache-2.0
// Makes the keyed hashes by which a sealed value is found without opening any.

import Crypto
import Foundation

/// Hashes values under a tenant's index key.
package struct BlindIndex: Sendable {
    /// Nil when the tenant has no such key, because nothing of it was sealed yet.
    let key: TenantKey?

    /// Returns the hash of a value: HMAC-SHA256 cut to 16 bytes, over the value in NFC and lower case.
    ///
    /// Its key is HKDF-SHA256(index key, "tcs/bidx/v1" ‖ column), with the former name that `Vault` explains. Without a
    /// key the answer matches no row.
    package func hash(_ value: String, column: String) -> [UInt8] {
        guard let index = self.key?.key else { return [UInt8](repeating: 0xFF, count: 16) }
        let key = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: index, info: Array("tcs/bidx/v1\(column)".utf8), outputByteCount: 32)
        // ASCII is its own canonical composition, and the mapping is slow.
        let composed = value.utf8.allSatisfy { $0 < 0x80 } ? value : value.precomposedStringWithCanonicalMapping
        let normal = composed.lowercased()
        return Array(HMAC<SHA256>.authenticationCode(for: Array(normal.utf8), using: key).prefix(16))
    }
}
