// SPDX-License-Identifier: Apache-2.0
// The lines that commands print about sources and their organisations.

import Foundation
import Intake
package import Model

/// A source that was made, or has a new secret. No later line shows the secret again.
package struct NewSourceLine: Encodable, Sendable {
    package var source: String
    @OrNull package var tenant: String?
    package var url: String
    /// Null when the sender has made it, or none is needed.
    @OrNull package var secret: String?
    /// What is to be done at the sender; null: the preset does not say.
    @OrNull package var setup: String?
    /// What an operator should know of the secret, or must still do about it.
    @OrNull package var warning: String?

    /// The secret that was made here. Throws where there is none.
    package func madeSecret() throws -> String {
        guard let secret else { throw InvalidValue("secret", "was made by the sender, or is not needed") }
        return secret
    }
}

/// A source as it is after a command, and whether the command has changed it.
package struct ChangedSourceLine: Encodable, Sendable {
    package var source: String
    @OrNull package var tenant: String?
    /// 'active', 'disabled' or 'deleted'; null: the command was about something else.
    @OrNull package var status: String?
    /// The version of its mapping; null: the command was about something else.
    @OrNull package var config_version: Int32?
    /// False: it was so already.
    package var changed: Bool
}

/// What a deletion would take away.
package struct SourceBelongingsLine: Encodable, Sendable {
    package var source: String
    package var people: Int
    package var memberships: Int
    package var quarantined: Int
    package var organisations: Int
    package var secrets: Int

    package var text: String {
        """
        \(self.people) people, \(self.memberships) memberships, \(self.quarantined) events in quarantine, \
        \(self.organisations) mapped organisations and \(self.secrets) secrets would go; users and events stay
        """
    }

    init(_ belongings: SourceBelongings, of source: String) {
        self.source = source
        self.people = belongings.people
        self.memberships = belongings.memberships
        self.quarantined = belongings.quarantined
        self.organisations = belongings.organizations
        self.secrets = belongings.secrets
    }
}

/// An organisation of a source and its tenant.
package struct OrganizationLine: Line {
    package var organization: String
    /// 'mapped', 'ignored', 'leaving' or 'unmapped'.
    package var state: String
    /// Null: none.
    @OrNull package var tenant: String?
    package var members: Int
    /// Members who are bound to no tenant.
    package var unbound: Int
    package var quarantined: Int

    package static let heading = ["ORGANISATION", "TENANT", "MEMBERS", "UNBOUND", "QUARANTINED"]
    package static let flexible = [1]
    package var cells: [String] {
        let isMapped = self.state == "mapped"
        return [
            self.organization, isMapped ? self.tenant ?? "" : "(\(self.state))", "\(self.members)", "\(self.unbound)",
            "\(self.quarantined)",
        ]
    }

    init(_ mapped: MappedOrganization) {
        self.organization = mapped.organization
        self.state = mapped.state.rawValue
        self.tenant = mapped.tenant?.rawValue
        self.members = mapped.members
        self.unbound = mapped.unbound
        self.quarantined = mapped.quarantined
    }
}

package struct SourceLine: Line, Decodable {
    /// A secret's id, never its value.
    package struct SecretEntry: Codable, Sendable {
        package var id: String
        package var made_by: String
        package var created_at: String
        /// Null: until it is rotated.
        @OrNull package var expires_at: String?
    }

    package var source: String
    /// The source's id, as the log names it.
    package var id: String
    @OrNull package var tenant: String?
    /// The tenants that it may name. Empty where it belongs to one, or a table leads to them.
    package var tenants: [String]
    package var by_table: Bool
    /// Whether the names and addresses of its people are kept.
    package var keeps_names: Bool
    package var preset: String
    package var status: String
    package var config_version: Int32
    package var hook_id: String
    /// Null: the service does not know where senders reach it.
    @OrNull package var url: String?
    package var secrets: [SecretEntry]
    /// True: the sender makes the secret itself, and only one that was made here is in force.
    package var lacks_senders_secret: Bool
    package var created_at: String
    @OrNull package var stopped_at: String?
    private var now = Date()

    package static let heading = ["SOURCE", "TENANT", "PRESET", "STATUS", "VERSION", "SECRETS", "ID", "URL"]
    package static let flexible = [5, 1]
    package static let spare = [6, 7, 4]
    package var cells: [String] {
        let tenants = self.tenants.isEmpty ? "(table)" : self.tenants.joined(separator: ",")
        return [
            self.source, self.tenant ?? tenants, self.preset, self.status, "\(self.config_version)",
            self.secretsInForce, self.id, self.url ?? "",
        ]
    }

    /// Each by the first characters of its id.
    private var secretsInForce: String {
        let secrets = Self.inForce(self.secrets, at: self.now).map { secret in
            let end = secret.expires_at.map { " until \($0)" } ?? ""
            return "\(secret.id.prefix(8))\(end)"
        }.joined(separator: ", ")
        return self.lacks_senders_secret ? "\(secrets) (made here; the sender's own is missing)" : secrets
    }

    private static func inForce(_ secrets: [SecretEntry], at now: Date) -> [SecretEntry] {
        let now = RFC3339.text(now)
        return secrets.filter { $0.expires_at.map { $0 > now } ?? true }
    }

    private enum CodingKeys: CodingKey {
        case source, id, tenant, tenants, by_table, keeps_names, preset, status, config_version, hook_id, url, secrets
        case lacks_senders_secret, created_at, stopped_at
    }

    init(_ source: Source, url: String) {
        self.source = source.slug
        self.id = source.id.rawValue.lowercase
        self.tenant = source.tenant?.rawValue
        self.tenants = source.allowed.map(\.rawValue)
        self.by_table = source.isTracked && source.allowed.isEmpty
        self.keeps_names = source.keepsNames
        self.preset = source.preset
        self.status = source.status
        self.config_version = source.version
        self.hook_id = source.hookID
        self.url = url
        self.secrets = source.secrets.map { secret in
            SecretEntry(
                id: secret.id.lowercase, made_by: secret.madeBy, created_at: RFC3339.text(secret.createdAt),
                expires_at: secret.expiresAt.map(RFC3339.text))
        }
        self.lacks_senders_secret = source.lacksSendersSecret(at: self.now)
        self.created_at = RFC3339.text(source.createdAt)
        self.stopped_at = source.stoppedAt.map(RFC3339.text)
    }
}
