// SPDX-License-Identifier: Apache-2.0
// The login token that an app gets, with the SIP username and the time to ask again.

package import Foundation
package import Model

package struct HandedToken: Sendable {
    package let loginToken: Secret<String>
    package let sipUsername: String
    package let expiresAt: Date
    /// When the app should ask again.
    package let refreshAfter: Date
    /// Whether this call has waited for the provider.
    let isMinted: Bool
}
