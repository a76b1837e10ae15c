// SPDX-License-Identifier: Apache-2.0
// The lines that commands print about tenants and API keys.

import Access
import Directory
import Foundation
package import Model

package struct TenantLine: Line, Decodable {
    package var tenant: String
    package var connection_id: String
    package var status: String
    package var created_at: String
    /// Days; null: as long as the provider lets its credentials live.
    @OrNull package var credential_life_days: Int?

    package static let heading = ["TENANT", "CONNECTION", "STATUS", "CREATED", "LIFE"]
    package static let spare = [3]
    package var cells: [String] {
        [
            self.tenant, self.connection_id, self.status, self.created_at,
            self.credential_life_days.map { "\($0)d" } ?? "",
        ]
    }

    init(_ tenant: Tenant) {
        self.tenant = tenant.id.rawValue
        self.connection_id = tenant.connectionID
        self.status = tenant.status
        self.created_at = RFC3339.text(tenant.createdAt)
        self.credential_life_days = tenant.credentialLife.map { Int($0.components.seconds / 86_400) }
    }
}

/// A key that was just made. No later line shows the key again.
package struct NewKeyLine: Encodable, Sendable {
    package var key: String
    package var key_id: String
    @OrNull package var tenant: String?
    package var scopes: [String]
}

package struct KeyLine: Line, Decodable {
    package var key_id: String
    @OrNull package var tenant: String?
    package var scopes: [String]
    package var created_at: String
    /// Null: it has no end.
    @OrNull package var expires_at: String?
    @OrNull package var revoked_at: String?
    private var now = Date()

    package static let heading = ["KEY", "TENANT", "SCOPES", "CREATED", "END"]
    package static let flexible = [2, 1]
    package static let spare = [3]
    package var cells: [String] {
        [
            self.key_id, self.tenant ?? "(operator)", self.scopes.joined(separator: ","), self.created_at,
            self.end,
        ]
    }

    /// Since when it is not in force; `ends …`: it still is. A key may be revoked before or after its end.
    private var end: String {
        let ends = [self.revoked_at, self.expires_at].compactMap { $0 }
        guard let first = ends.min() else { return "" }
        return first > RFC3339.text(self.now) ? "ends \(first)" : first
    }

    private enum CodingKeys: CodingKey {
        case key_id, tenant, scopes, created_at, expires_at, revoked_at
    }

    init(_ key: APIKeyRecord) {
        self.key_id = key.id
        self.tenant = key.tenant?.rawValue
        self.scopes = key.scopes.map(\.rawValue)
        self.created_at = RFC3339.text(key.createdAt)
        self.expires_at = key.expiresAt.map(RFC3339.text)
        self.revoked_at = key.revokedAt.map(RFC3339.text)
    }
}
