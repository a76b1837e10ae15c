// SPDX-License-Identifier: Apache-2.0
// Disables, enables and deletes a source. Each takes effect when the nodes read the source again, within 5 seconds.

package import Model
import Postgres

/// What a deletion takes away. Users and the ledger's rows stay.
package struct SourceBelongings: Sendable {
    package let people: Int
    package let memberships: Int
    /// Open ones; their bodies go.
    package let quarantined: Int
    package let organizations: Int
    /// Those in force.
    package let secrets: Int
}

extension SourceRegistry {
    /// Stops a source: its sender is told to come again. Returns false when it was disabled already.
    package func disable(slug: String, tenant: TenantID?) async throws -> Bool {
        let source = try await self.find(slug, tenant)
        // One row by primary key. Who comes second finds it disabled.
        let changed = try await self.pool.query(
            """
            update dialtone.sources set status = 'disabled', stopped_at = clock_timestamp()
            where source_id = \(source.id) and status = 'active' returning 1
            """)
        if changed.isEmpty { _ = try await self.find(slug, tenant) }
        return changed.count == 1
    }

    /// Takes a source's deliveries again. Returns false when it was active already.
    package func enable(slug: String, tenant: TenantID?) async throws -> Bool {
        let source = try await self.find(slug, tenant)
        // One row by primary key.
        let changed = try await self.pool.query(
            """
            update dialtone.sources set status = 'active', stopped_at = null
            where source_id = \(source.id) and status = 'disabled' returning 1
            """)
        if changed.isEmpty { _ = try await self.find(slug, tenant) }
        return changed.count == 1
    }

    /// Deletes a source: its hook is unknown, and its secrets and its mapping table go at once. Housekeeping deletes what
    /// it has told of people, because a node may believe the source for some seconds more.
    ///
    /// The ledger's rows and the users stay as they are. The row stays too: events name it.
    package func delete(slug: String, tenant: TenantID?) async throws {
        let source = try await self.find(slug, tenant)
        try await self.pool.withTransaction { connection in
            // The source's row comes first, as in a rotation. Primary key.
            let deleted = try await connection.query(
                """
                update dialtone.sources set status = 'deleted', stopped_at = clock_timestamp(), config = null
                where source_id = \(source.id) and status <> 'deleted' returning 1
                """)
            guard deleted.count == 1 else { throw SourceError.unknownSource(slug) }
            // Index source_secrets_source.
            _ = try await connection.query(
                "delete from dialtone.source_secrets where source_id = \(source.id)")
            // Primary keys, by their first column.
            _ = try await connection.query(
                "delete from dialtone.source_tenants where source_id = \(source.id)")
            _ = try await connection.query("delete from dialtone.source_pulls where source_id = \(source.id)")
        }
    }

    /// Counts what a deletion would take away. Indexes people_pkey, memberships_pkey, quarantine_open,
    /// source_tenants_pkey and source_secrets_source, each by the source.
    package func belongings(slug: String, tenant: TenantID?) async throws -> SourceBelongings {
        let source = try await self.find(slug, tenant).id
        let rows = try await self.pool.query(
            """
            select (select count(*) from dialtone.people where source_id = \(source)),
                   (select count(*) from dialtone.memberships where source_id = \(source)),
                   (select count(*) from dialtone.quarantine where source_id = \(source) and settled_at is null),
                   (select count(*) from dialtone.source_tenants where source_id = \(source)),
                   (select count(*) from dialtone.source_secrets
                    where source_id = \(source) and (expires_at is null or expires_at > clock_timestamp()))
            """)
        guard var columns = rows.first?.columns else { throw SourceError.unknownSource(slug) }
        return SourceBelongings(
            people: try columns.next(), memberships: try columns.next(), quarantined: try columns.next(),
            organizations: try columns.next(), secrets: try columns.next())
    }
}
