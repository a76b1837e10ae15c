// SPDX-License-Identifier: Apache-2.0
// A customer organisation whose users get credentials.

package import Foundation
package import Model

package struct Tenant: Sendable {
    package let id: TenantID
    /// The provider's connection that the tenant's credentials belong to.
    package let connectionID: String
    package let status: String
    package let createdAt: Date
    /// How long its credentials are to live; nil: as long as the provider lets them.
    package let credentialLife: Duration?
}
