// SPDX-License-Identifier: Apache-2.0
// A source as the operator's commands find it by its name: what it was made with, and where it stands.

import Model
import Postgres

struct FoundSource: Sendable {
    let id: SourceID
    let tenant: TenantID?
    let hookID: String
    let preset: String
    /// Nil: the preset's own.
    let configuration: String?
    let version: Int32
    let allowed: [TenantID]
    let isTracked: Bool
    let keepsNames: Bool

    /// Whose key seals its secrets: its tenant, or '-'.
    var scope: String { self.tenant?.rawValue ?? "-" }

    var terms: SourceTerms {
        get throws(InvalidValue) {
            try SourceTerms(
                preset: self.preset, self.configuration.map { Array($0.utf8) }, tenant: self.tenant,
                allowed: self.allowed)
        }
    }
}

extension SourceRegistry {
    /// Returns the source of this name that is not deleted. Unique index sources_slug.
    func find(_ slug: String, _ tenant: TenantID?) async throws -> FoundSource {
        let rows = try await self.pool.query(
            """
            select source_id, hook_id, preset, config::text, config_version, allowed_tenants, is_tracked,
                   keeps_names
            from dialtone.sources
            where coalesce(tenant_id, '-') = \(tenant?.rawValue ?? "-") and slug = \(slug) and status <> 'deleted'
            """)
        guard var columns = rows.first?.columns else { throw try await self.absence(of: slug) }
        return FoundSource(
            id: try columns.next(), tenant: tenant, hookID: try columns.next(), preset: try columns.next(),
            configuration: try columns.next(), version: try columns.next(),
            allowed: try columns.next([String].self).compactMap(TenantID.init(rawValue:)),
            isTracked: try columns.next(), keepsNames: try columns.next())
    }

    /// Returns why a source is not found. `sources` is read whole, and has few rows.
    private func absence(of slug: String) async throws -> SourceError {
        let owners = try await self.pool.query(
            """
            select tenant_id from dialtone.sources where slug = \(slug) and status <> 'deleted'
            order by tenant_id nulls first limit 5
            """
        ).map { row in
            var columns = row.columns
            return try columns.next(TenantID?.self)
        }
        return owners.isEmpty ? .unknownSource(slug) : .ownedElsewhere(slug, by: owners)
    }
}
