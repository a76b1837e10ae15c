// SPDX-License-Identifier: Apache-2.0
// Opens the sealed values of a page or an export, with the tenant's key in hand.

package import Model

/// Opens many values one after another. It asks for a key only when a value names another one than the value before.
package struct Opener {
    private let keys: TenantKeys
    private var last: (tenant: String, key: TenantKey)?

    init(keys: TenantKeys) { self.keys = keys }

    /// Opens one value. The key is the one that its header names, among the keys of the binding's tenant only.
    ///
    /// Throws `CannotOpen` when the value does not open at this place.
    package mutating func open(_ sealed: [UInt8], _ binding: SealedBinding) async throws -> Secret<String> {
        let id = try RecordCipher.keyID(of: sealed)
        let key: TenantKey
        if let last, last.tenant == binding.tenant, last.key.id == id {
            key = last.key
        } else {
            key = try await self.keys.named(id, of: binding.tenant)
            self.last = (binding.tenant, key)
        }
        return Secret(String(decoding: try RecordCipher.open(sealed, under: key, binding), as: UTF8.self))
    }
}
