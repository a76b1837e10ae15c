// SPDX-License-Identifier: Apache-2.0
// The key that wraps the tenants' keys: it comes from outside the database and is never written into it.

package import Crypto
package import Foundation

/// Wraps and unwraps tenant keys. This is the seam for key services. `LocalKeyEncryptionKey` holds its key in memory.
package protocol KeyEncryptionKey: Sendable {
    /// Where the key comes from, without the key: `env:NAME`, `file:PATH`.
    var uri: String { get }
    func wrap(_ key: SymmetricKey, tenant: String, keyID: UUID, version: Int32) async throws -> [UInt8]
    func unwrap(_ wrapped: [UInt8], tenant: String, keyID: UUID, version: Int32) async throws -> SymmetricKey
}
