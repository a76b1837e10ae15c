// SPDX-License-Identifier: Apache-2.0
// The mapping table of a source: maps its sender's organisations to tenants, for what is said from now on.

package import Model
import Postgres

/// What `map` has done.
package enum MapAddition: Sendable, Equatable {
    case added
    /// It was mapped so already.
    case known
    /// It was being taken out, and is in force again.
    case restored
}

extension SourceRegistry {
    /// Maps an organisation to a tenant, or with `target` nil to none, so that what is said of it is ignored. It counts
    /// for what is said from now on.
    @discardableResult
    package func map(
        _ organization: String, to target: TenantID?, slug: String, tenant: TenantID?
    ) async throws -> MapAddition {
        guard (1...255).contains(organization.utf8.count) else {
            throw InvalidValue("organization", "must have 1 to 255 bytes")
        }
        // A mapping reads no such name, so the line would never count.
        guard VisibleText.isVisible(organization) else {
            throw InvalidValue("organization", "has a character that cannot be seen")
        }
        let source = try await self.tracked(slug, tenant)
        if let tenant, let target, tenant != target { throw SourceError.belongsTo(tenant) }
        do {
            // Who comes second meets the row of the first. Primary key. The lock of the source's row makes a deletion
            // wait, which then takes this row too; after a deletion there is nothing to insert.
            let added = try await self.pool.query(
                """
                insert into dialtone.source_tenants (source_id, external_tenant, tenant_id)
                select sources.source_id, \(organization)::text, \(target)::text from dialtone.sources
                where sources.source_id = \(source) and sources.status <> 'deleted' for share
                on conflict (source_id, external_tenant) do nothing returning 1
                """)
            if added.count == 1 { return .added }
        } catch {
            throw Self.refusal(error, target)
        }
        // Throws when the source was deleted meanwhile.
        _ = try await self.find(slug, tenant)
        return try await self.keep(organization, target, source)
    }

    /// Returns the reason why an insert was refused: the tenant does not exist (SQLSTATE 23503, foreign_key_violation).
    private static func refusal(_ error: PostgresError, _ target: TenantID?) -> any Error {
        guard error.sqlState == "23503", let target else { return error }
        return SourceError.unknownTenant(target)
    }

    /// The organisation has a row. It is as asked, or is put in force again, or leads elsewhere. Primary key.
    private func keep(
        _ organization: String, _ target: TenantID?, _ source: SourceID
    ) async throws -> MapAddition {
        let restored = try await self.pool.query(
            """
            update dialtone.source_tenants set is_leaving = false, changed_xid = pg_current_xact_id()
            where source_id = \(source) and external_tenant = \(organization)
              and tenant_id is not distinct from \(target)::text and is_leaving
            returning 1
            """)
        if restored.count == 1 { return .restored }
        let rows = try await self.pool.query(
            """
            select tenant_id from dialtone.source_tenants
            where source_id = \(source) and external_tenant = \(organization)
            """)
        guard var columns = rows.first?.columns else { throw SourceError.unknownOrganization(organization) }
        let present: TenantID? = try columns.next()
        guard present == target else { throw SourceError.alreadyMapped(organization, to: present) }
        return .known
    }

    func tracked(_ slug: String, _ tenant: TenantID?) async throws -> SourceID {
        let source = try await self.find(slug, tenant)
        guard source.isTracked else { throw SourceError.hasNoTable(slug) }
        return source.id
    }
}
