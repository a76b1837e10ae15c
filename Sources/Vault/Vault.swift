// SPDX-License-Identifier: Apache-2.0
// Where secrets become sealed and sealed ones open: nothing else in Dialtone holds a key.

import Crypto
import Foundation
package import Model

/// Seals and opens values under the keys of their tenants.
package struct Vault: Sendable {
    private let keys: TenantKeys

    package init(keys: TenantKeys) { self.keys = keys }

    /// Seals one value. Throws when the tenant's key is not to be had; never falls back to another.
    package func seal(_ secret: Secret<String>, _ binding: SealedBinding) async throws -> [UInt8] {
        try await self.sealer(for: binding.tenant).seal(secret.reveal(), binding)
    }

    /// Opens one value. The key is looked up by the id in its header, among the keys of the binding's tenant only.
    package func open(_ sealed: [UInt8], _ binding: SealedBinding) async throws -> Secret<String> {
        let key = try await self.keys.named(try RecordCipher.keyID(of: sealed), of: binding.tenant)
        return Secret(String(decoding: try RecordCipher.open(sealed, under: key, binding), as: UTF8.self))
    }

    /// The tenant's keys in hand, so that a batch is sealed without waiting.
    package func sealer(for tenant: String) async throws -> Sealer {
        Sealer(
            record: try await self.keys.active(tenant, .record),
            index: try await self.keys.active(tenant, .index))
    }
}

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

    /// A keyed hash by which a value can be found without opening any: HMAC-SHA256 cut to 16 bytes, over the value in
    /// NFC and lower case, under HKDF-SHA256(index key, "tcs/bidx/v1" ‖ column).
    package func blindIndex(_ value: String, column: String) -> [UInt8] {
        let key = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: self.index.key, info: Array("tcs/bidx/v1\(column)".utf8), outputByteCount: 32)
        // ASCII is its own canonical composition, and the mapping is slow.
        let composed = value.utf8.allSatisfy { $0 < 0x80 } ? value : value.precomposedStringWithCanonicalMapping
        let normal = composed.lowercased()
        return Array(HMAC<SHA256>.authenticationCode(for: Array(normal.utf8), using: key).prefix(16))
    }
}
