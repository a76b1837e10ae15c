// SPDX-License-Identifier: Apache-2.0
// An API key as lists show it.

package import Foundation
package import Model

/// What is kept of a key, without its hash. The secret itself is not kept.
package struct APIKeyRecord: Sendable {
    package let id: String
    /// Nil for an operator's key, which reaches every tenant.
    package let tenant: TenantID?
    package let scopes: [Scope]
    package let createdAt: Date
    package let revokedAt: Date?
}
