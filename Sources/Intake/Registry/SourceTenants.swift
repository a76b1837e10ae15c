// SPDX-License-Identifier: Apache-2.0
// The mapping table of a source: which of its sender's organisations is which tenant.

package import Model
import Postgres

/// One organisation of a source.
package struct MappedOrganization: Sendable, Equatable {
    /// The sender's own id of it.
    package let organization: String
    /// Nil: an operator has said to ignore it.
    package let tenant: TenantID?
    /// People who are members of it now, by what the sender has told.
    package let members: Int
}

extension SourceRegistry {
    /// Maps an organisation to a tenant, or with `target` nil to none, so that what is said of it is ignored. It counts
    /// for what is said from now on.
    package func map(
        _ organization: String, to target: TenantID?, slug: String, tenant: TenantID?
    ) async throws {
        guard (1...255).contains(organization.utf8.count) else {
            throw InvalidValue("organization", "must have 1 to 255 bytes")
        }
        let source = try await self.tracked(slug, tenant)
        if let tenant, let target, tenant != target { throw SourceError.belongsTo(tenant) }
        do {
            _ = try await self.pool.query(
                """
                insert into dialtone.source_tenants (source_id, external_tenant, tenant_id)
                values (\(source), \(organization), \(target))
                """)
        } catch {
            throw Self.refusal(error, organization, target)
        }
    }

    /// Returns the reason why an insert was refused: the organisation is mapped already, or the tenant does not exist
    /// (SQLSTATE 23503, foreign_key_violation).
    private static func refusal(_ error: PostgresError, _ organization: String, _ target: TenantID?) -> any Error {
        if error.isUniqueViolation { return SourceError.alreadyMapped(organization) }
        if error.sqlState == "23503", let target { return SourceError.unknownTenant(target) }
        return error
    }

    /// Takes an organisation out of the table. Refuses while a member's user has come from it.
    package func unmap(_ organization: String, slug: String, tenant: TenantID?) async throws {
        let source = try await self.tracked(slug, tenant)
        try await self.pool.withTransaction { connection in
            // The row's lock comes first, so that one removal follows the other. Primary key.
            let found = try await connection.query(
                """
                select 1 from dialtone.source_tenants
                where source_id = \(source) and external_tenant = \(organization) for update
                """)
            guard !found.isEmpty else { throw SourceError.unknownOrganization(organization) }
            // Primary key memberships_pkey, by its first column.
            let members = try await connection.query(
                """
                select 1 from dialtone.memberships
                where source_id = \(source) and external_tenant = \(organization) and state = 'live'
                  and tenant_id is not null limit 1
                """)
            guard members.isEmpty else { throw SourceError.hasMembers(organization) }
            _ = try await connection.query(
                """
                delete from dialtone.source_tenants
                where source_id = \(source) and external_tenant = \(organization)
                """)
        }
    }

    /// Returns the table, by the organisations' ids.
    package func map(slug: String, tenant: TenantID?) async throws -> [MappedOrganization] {
        let source = try await self.tracked(slug, tenant)
        return try await self.pool.query(
            """
            select mapped.external_tenant, mapped.tenant_id, count(member.external_user)
            from dialtone.source_tenants mapped
            left join dialtone.memberships member
                on member.source_id = mapped.source_id and member.external_tenant = mapped.external_tenant
                    and member.state = 'live'
            where mapped.source_id = \(source)
            group by mapped.external_tenant, mapped.tenant_id order by mapped.external_tenant
            """
        ).map { row in
            var columns = row.columns
            return MappedOrganization(
                organization: try columns.next(), tenant: try columns.next(), members: try columns.next())
        }
    }

    private func tracked(_ slug: String, _ tenant: TenantID?) async throws -> SourceID {
        let source = try await self.find(slug, tenant?.rawValue ?? "-")
        guard source.isTracked else { throw SourceError.hasNoTable(slug) }
        return source.id
    }
}
