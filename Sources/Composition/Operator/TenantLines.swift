// SPDX-License-Identifier: Apache-2.0
// The lines that commands print about tenants, sources and API keys.

import Access
import Directory
import Foundation
import Intake
package import Model

package struct TenantLine: Line {
    package var tenant: String
    package var connection_id: String
    package var status: String
    package var created_at: String

    package static let heading = ["TENANT", "CONNECTION", "STATUS", "CREATED"]
    package var cells: [String] { [self.tenant, self.connection_id, self.status, self.created_at] }

    init(_ tenant: Tenant) {
        self.tenant = tenant.id.rawValue
        self.connection_id = tenant.connectionID
        self.status = tenant.status
        self.created_at = RFC3339.text(tenant.createdAt)
    }
}

/// A source with a new secret. No later line shows the secret again.
package struct NewSourceLine: Encodable, Sendable {
    package var source: String
    @OrNull package var tenant: String?
    package var url: String
    /// Null when the sender has made it, or none is needed.
    @OrNull package var secret: String?
    /// What an operator should know of the sender's secret.
    @OrNull package var warning: String?

    /// The secret that was made here. Throws where there is none.
    package func madeSecret() throws -> String {
        guard let secret else { throw InvalidValue("secret", "was made by the sender, or is not needed") }
        return secret
    }
}

/// An organisation of a source and its tenant.
package struct OrganizationLine: Line {
    package var organization: String
    /// Null: what is said of it is ignored.
    @OrNull package var tenant: String?
    package var members: Int

    package static let heading = ["ORGANISATION", "TENANT", "MEMBERS"]
    package var cells: [String] { [self.organization, self.tenant ?? "(ignored)", "\(self.members)"] }

    init(_ mapped: MappedOrganization) {
        self.organization = mapped.organization
        self.tenant = mapped.tenant?.rawValue
        self.members = mapped.members
    }
}

package struct SourceLine: Line {
    package var source: String
    @OrNull package var tenant: String?
    package var preset: String
    package var status: String
    package var url: String
    package var created_at: String

    package static let heading = ["SOURCE", "TENANT", "PRESET", "STATUS", "URL"]
    package var cells: [String] { [self.source, self.tenant ?? "(several)", self.preset, self.status, self.url] }

    init(_ source: Source, url: String) {
        self.source = source.slug
        self.tenant = source.tenant?.rawValue
        self.preset = source.preset
        self.status = source.status
        self.url = url
        self.created_at = RFC3339.text(source.createdAt)
    }
}

/// A key that was just made. No later line shows the key again.
package struct NewKeyLine: Encodable, Sendable {
    package var key: String
    package var key_id: String
    @OrNull package var tenant: String?
    package var scopes: [String]
}

package struct KeyLine: Line {
    package var key_id: String
    @OrNull package var tenant: String?
    package var scopes: [String]
    package var created_at: String
    @OrNull package var revoked_at: String?

    package static let heading = ["KEY", "TENANT", "SCOPES", "CREATED", "REVOKED"]
    package var cells: [String] {
        [
            self.key_id, self.tenant ?? "(operator)", self.scopes.joined(separator: ","), self.created_at,
            self.revoked_at ?? "",
        ]
    }

    init(_ key: APIKeyRecord) {
        self.key_id = key.id
        self.tenant = key.tenant?.rawValue
        self.scopes = key.scopes.map(\.rawValue)
        self.created_at = RFC3339.text(key.createdAt)
        self.revoked_at = key.revokedAt.map(RFC3339.text)
    }
}
