// SPDX-License-Identifier: Apache-2.0
// Finds the source that an operator means by its name.

package import Model
import Postgres

extension EventReader {
    /// Returns the source of this name that belongs to the tenant, or else to none. Without a tenant it is the one that
    /// belongs to none, or else the only one there is. `isOfTenant` says whether it belongs to the tenant.
    ///
    /// Throws where there is none, and where several could be meant. `sources` is read whole, and has few rows.
    /// Cancelled here: nothing was begun.
    package func source(
        named slug: String, tenant: TenantID?
    ) async throws -> (id: SourceID, isOfTenant: Bool) {
        let rows = try await self.pool.query(
            """
            select source_id, tenant_id is not null from dialtone.sources
            where slug = \(slug) and status <> 'deleted'
              and (\(tenant)::text is null or coalesce(tenant_id, \(tenant)) = \(tenant))
            """)
        let found = try rows.map { row in
            var columns = row.columns
            return (id: try columns.next(SourceID.self), isOwned: try columns.next(Bool.self))
        }
        if let tenant {
            guard let best = found.first(where: \.isOwned) ?? found.first else {
                throw InvalidValue("--source", "names no source of tenant \(tenant), nor one of several tenants")
            }
            return (best.id, best.isOwned)
        }
        if let shared = found.first(where: { !$0.isOwned }) { return (shared.id, false) }
        guard let only = found.first else { throw SourceError.unknownSource(slug) }
        guard found.count == 1 else {
            throw InvalidValue("--source", "names sources of several tenants: give --tenant")
        }
        return (only.id, false)
    }
}
