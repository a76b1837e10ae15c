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

/// A source that was just made, or whose secret was just rotated. The secret cannot be read again.
package struct NewSource: Sendable {
    package let id: SourceID
    package let slug: String
    package let hookID: String
    package let secret: Secret<String>
}
