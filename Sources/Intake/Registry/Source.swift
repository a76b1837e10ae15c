// SPDX-License-Identifier: Apache-2.0
// A source of sign-up events, as an operator sees it.

package import Foundation
package import Model
package import Postgres

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
    /// The newest first: all in force, and of those that have ended `mostEnded`.
    package let secrets: [SecretEntry]

    /// Secrets that have ended, as lists show them at most. They are kept as long as the source.
    static let mostEnded = 10

    /// Whether the sender makes the secret itself, and only one that was made here is in force.
    package func lacksSendersSecret(at now: Date) -> Bool {
        let inForce = self.secrets.filter { secret in secret.expiresAt.map { $0 > now } ?? true }
        return self.takesSendersSecret && !inForce.isEmpty && inForce.allSatisfy { $0.madeBy == "dialtone" }
    }
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
        self.takesSendersSecret = try columns.next()
        let (ids, makers): ([UUID], [String]) = (try columns.next(), try columns.next())
        let (starts, ends): ([Date], [Date?]) = (try columns.next(), try columns.next())
        self.secrets = ids.indices.map { place in
            SecretEntry(id: ids[place], madeBy: makers[place], createdAt: starts[place], expiresAt: ends[place])
        }
    }
}

extension Source {
    /// Where a source stands in a list of the sources of all tenants.
    package struct Place: Sendable {
        /// Its tenant; `-` where it serves several.
        package let owner: String
        package let slug: String

        package init(owner: String, slug: String) {
            self.owner = owner
            self.slug = slug
        }
    }

    package var place: Place { Place(owner: self.tenant?.rawValue ?? "-", slug: self.slug) }

    /// Returns the sources of one tenant, or all when `tenant` is nil: those that serve several tenants first, then by
    /// tenant and name. Deleted ones are left out. `after`: the last source of an earlier page.
    ///
    /// `read` runs the statement. A tenant's role sees the tenant's own sources alone, and of a secret no sealed byte.
    /// Indexes sources_slug and source_secrets_source.
    package static func list(
        of tenant: TenantID?, after: Place? = nil, limit: Int? = nil, by read: (SQL) async throws -> PostgresRows
    ) async throws -> [Source] {
        let wall: SQL = tenant.map { "coalesce(tenant_id, '-') = \($0)" } ?? "true"
        let behind: SQL = after.map { "(coalesce(tenant_id, '-'), slug) > (\($0.owner), \($0.slug))" } ?? "true"
        return try await read(
            """
            select one.source_id, one.slug, one.tenant_id, one.allowed_tenants, one.is_tracked, one.keeps_names,
                   one.hook_id, one.preset, one.config_version, one.status, one.created_at, one.stopped_at,
                   \(Self.takesSendersSecret), made.ids, made.makers, made.starts, made.ends
            from (select * from dialtone.sources where \(wall) and \(behind) and status <> 'deleted'
                  order by coalesce(tenant_id, '-'), slug limit \(limit)) one
            cross join lateral (\(Self.ofSecrets)) made
            order by coalesce(one.tenant_id, '-'), one.slug
            """
        ).map { row in
            var columns = row.columns
            return try Source(&columns)
        }
    }

    /// The presets whose sender makes the secret.
    private static let sendersPresets = Presets.names.filter { name in
        (try? SourceConfiguration(nil, preset: name))?.setup?.maker == .sender
    }

    /// As `SourceConfiguration.setup` says it. A configuration has 64 KB at most, and a page has many, so none is sent
    /// or read whole. One that has proofs of its own and no words on them says nothing.
    private static let takesSendersSecret: SQL = """
        coalesce(one.config -> 'setup' ->> 'secret' = 'sender',
                 one.config -> 'proofs' is null and one.preset = any(\(Self.sendersPresets)))
        """

    /// The secrets of a source, the newest first: a row of lists.
    private static let ofSecrets: SQL = """
        select coalesce(array_agg(secret_id order by created_at desc, secret_id), '{}') as ids,
               coalesce(array_agg(made_by order by created_at desc, secret_id), '{}') as makers,
               coalesce(array_agg(created_at order by created_at desc, secret_id), '{}') as starts,
               coalesce(array_agg(expires_at order by created_at desc, secret_id), '{}') as ends
        from (select secret_id, made_by, created_at, expires_at,
                     row_number() over (partition by expires_at <= statement_timestamp()
                                        order by created_at desc, secret_id) as place
              from dialtone.source_secrets where source_secrets.source_id = one.source_id) numbered
        where place <= \(Self.mostEnded) or coalesce(expires_at > statement_timestamp(), true)
        """
}

extension SourceRegistry {
    /// Returns the sources of one tenant, or all when `tenant` is nil. Deleted ones are left out.
    package func list(tenant: TenantID?) async throws -> [Source] {
        try await Source.list(of: tenant) { try await self.pool.query($0) }
    }
}
