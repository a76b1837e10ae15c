// SPDX-License-Identifier: Apache-2.0
// A source of sign-up events, as an operator sees it.

package import Foundation
package import Model
import Postgres

/// A source as lists show it.
package struct Source: Sendable {
    /// A secret of the source, without its value.
    package struct SecretEntry: Sendable {
        package let id: UUID
        /// 'dialtone', or 'sender'.
        package let madeBy: String
        package let createdAt: Date
        /// Nil: until it is rotated.
        package let expiresAt: Date?
    }

    package let id: SourceID
    /// The source's name for operators, unique for its tenant.
    package let slug: String
    /// Nil for a source that serves several tenants.
    package let tenant: TenantID?
    /// The tenants that a source without one of its own may name. Empty where a table leads to them.
    package let allowed: [TenantID]
    /// Whether it keeps facts on people and memberships.
    package let isTracked: Bool
    /// Whether the names and addresses of its people are kept.
    package let keepsNames: Bool
    package let hookID: String
    package let preset: String
    /// The version of its mapping, from 1.
    package let version: Int32
    package let status: String
    package let createdAt: Date
    /// When it was disabled; nil: it is active.
    package let stoppedAt: Date?
    /// Whether its sender makes the secret itself.
    package let takesSendersSecret: Bool
    /// The newest first, those that have ended too.
    package fileprivate(set) var secrets: [SecretEntry] = []
}

/// A source that was just made, or whose secret was just rotated.
package struct NewSource: Sendable {
    package let id: SourceID
    package let slug: String
    /// Nil for a source that serves several tenants.
    package let tenant: TenantID?
    package let hookID: String
    /// The secret that was made here; it cannot be read again. Nil: the sender has made it, or none is needed.
    package let secret: Secret<String>?
    /// What an operator should know of the secret, or must still do about it.
    package let warning: String?
    /// Where the secret goes at the sender; nil: the preset does not say, or the sender has it.
    package let setup: String?
}

extension Source {
    /// The columns of `list`.
    fileprivate init(_ columns: inout PostgresColumns) throws {
        self.id = try columns.next()
        self.slug = try columns.next()
        self.tenant = try columns.next()
        self.allowed = try columns.next([String].self).compactMap(TenantID.init(rawValue:))
        self.isTracked = try columns.next()
        self.keepsNames = try columns.next()
        self.hookID = try columns.next()
        self.preset = try columns.next()
        self.version = try columns.next()
        self.status = try columns.next()
        self.createdAt = try columns.next()
        self.stoppedAt = try columns.next()
        let text: String? = try columns.next()
        // A configuration that this program cannot read is told of by `check` and by the nodes' log.
        let configuration = try? SourceConfiguration(text.map { Array($0.utf8) }, preset: self.preset)
        self.takesSendersSecret = configuration?.setup?.maker == .sender
    }
}

extension SourceRegistry {
    /// Returns the sources of one tenant, or all when `tenant` is nil. Deleted ones are left out.
    package func list(tenant: TenantID?) async throws -> [Source] {
        var sources = try await self.pool.query(
            """
            select source_id, slug, tenant_id, allowed_tenants, is_tracked, keeps_names, hook_id, preset, config_version,
                   status, created_at, stopped_at, config::text
            from dialtone.sources
            where (\(tenant)::text is null or tenant_id = \(tenant)) and status <> 'deleted'
            order by tenant_id nulls first, slug
            """
        ).map { row in
            var columns = row.columns
            return try Source(&columns)
        }
        let secrets = try await self.secrets(of: sources.map(\.id))
        for place in sources.indices { sources[place].secrets = secrets[sources[place].id] ?? [] }
        return sources
    }

    /// Index source_secrets_source.
    private func secrets(of sources: [SourceID]) async throws -> [SourceID: [Source.SecretEntry]] {
        let rows = try await self.pool.query(
            """
            select source_id, secret_id, made_by, created_at, expires_at from dialtone.source_secrets
            where source_id = any(\(sources)) order by created_at desc
            """)
        var secrets: [SourceID: [Source.SecretEntry]] = [:]
        for row in rows {
            var columns = row.columns
            let source: SourceID = try columns.next()
            secrets[source, default: []].append(
                Source.SecretEntry(
                    id: try columns.next(), madeBy: try columns.next(), createdAt: try columns.next(),
                    expiresAt: try columns.next()))
        }
        return secrets
    }
}
