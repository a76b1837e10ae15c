// SPDX-License-Identifier: Apache-2.0
// A source of sign-up events, as an operator sees it.

package import Foundation
package import Model

/// A source as lists show it.
package struct Source: Sendable {
    package let id: SourceID
    /// The source's name for operators, unique for its tenant.
    package let slug: String
    /// Nil for a source that serves several tenants.
    package let tenant: TenantID?
    package let hookID: String
    package let preset: String
    package let status: String
    package let createdAt: Date
}

/// A source that was just made, or whose secret was just rotated.
package struct NewSource: Sendable {
    package let id: SourceID
    package let slug: String
    package let hookID: String
    /// The secret that was made here; it cannot be read again. Nil: the sender has made it, or none is needed.
    package let secret: Secret<String>?
    /// What an operator should know of a secret that the sender has made.
    package let warning: SecretText.Warning?
}
