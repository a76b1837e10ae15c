// SPDX-License-Identifier: Apache-2.0
// A credential as the provider shows it, and whether it bears a name of ours.

package import Foundation
package import Model

/// A credential as the provider shows it. Fields that the provider may add are dropped unread, because some may be
/// secret.
package struct TelephonyCredential: Sendable {
    package var id: ProviderID
    package var name: String?
    package var resourceID: String?
    package var expired: Bool
    package var sipUsername: String?
    package var sipPassword: Secret<String>?
    package var createdAt: Date?
    package var expiresAt: Date?
    package var updatedAt: Date?

    package init(
        id: ProviderID, name: String?, resourceID: String? = nil, expired: Bool = false, sipUsername: String?,
        sipPassword: Secret<String>?, createdAt: Date? = nil, expiresAt: Date? = nil, updatedAt: Date? = nil
    ) {
        self.id = id
        self.name = name
        self.resourceID = resourceID
        self.expired = expired
        self.sipUsername = sipUsername
        self.sipPassword = sipPassword
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.updatedAt = updatedAt
    }
}

extension TelephonyCredential {
    /// Returns whether this is the credential of that name.
    ///
    /// The vendor does not document how long a name may be. A name that was cut is still ours when 40 of its
    /// characters are left: they hold 140 bits of a hash, so it cannot be anybody else's.
    package func bears(_ name: String) -> Bool {
        guard let own = self.name else { return false }
        return own == name || own.utf8.count >= 40 && name.hasPrefix(own)
    }
}
