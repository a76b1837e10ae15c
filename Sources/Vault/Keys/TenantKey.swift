// SPDX-License-Identifier: Apache-2.0
// A tenant's key, unwrapped and in memory.

package import Crypto
package import Foundation

/// A tenant's key with its id.
package struct TenantKey: Sendable {
    package let id: UUID
    package let key: SymmetricKey

    package init(id: UUID, key: SymmetricKey) {
        self.id = id
        self.key = key
    }
}
