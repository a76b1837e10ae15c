// SPDX-License-Identifier: Apache-2.0
// Seals secrets and opens them again: nothing else in Dialtone holds a key.

// Three keys stand above each other. The key-encryption key comes from outside the database (`KeyEncryptionKey`). It
// wraps a tenant's keys, which the database keeps (`TenantKeys`). From a tenant's key and a random salt comes the key
// of a single value (`RecordCipher`). A value is authenticated together with its place (`SealedBinding`), so it opens
// in no other place.
//
// The formats' labels begin with "tcs" or "TC", a former name of the project. Sealed values and wrapped keys depend on
// these bytes, so they stay.

import Foundation
package import Model

/// Seals and opens values under the keys of their tenants.
package struct Vault: Sendable {
    private let keys: TenantKeys

    package init(keys: TenantKeys) { self.keys = keys }

    /// Seals one value. Throws when the tenant's key cannot be had, and never falls back to another key.
    package func seal(_ secret: Secret<String>, _ binding: SealedBinding) async throws -> [UInt8] {
        try await self.sealer(for: binding.tenant).seal(secret.reveal(), binding)
    }

    /// Opens one value. The key is looked up by the id in its header, among the keys of the binding's tenant only.
    package func open(_ sealed: [UInt8], _ binding: SealedBinding) async throws -> Secret<String> {
        var opener = self.opener
        return try await opener.open(sealed, binding)
    }

    /// Opens many values, and asks once for a key that many of them name.
    package var opener: Opener { Opener(keys: self.keys) }

    /// Returns a sealer that has the tenant's keys in hand, so that a batch is sealed without waiting.
    package func sealer(for tenant: String) async throws -> Sealer {
        Sealer(
            record: try await self.keys.active(tenant, .record),
            index: try await self.keys.active(tenant, .index))
    }

    /// Returns the hashes of a tenant for a search. It makes no key: a reader leaves nothing behind.
    package func blindIndex(for tenant: String) async throws -> BlindIndex {
        BlindIndex(key: try await self.keys.known(tenant, .index))
    }
}
