// SPDX-License-Identifier: Apache-2.0
// The tenants: whose users these are, and on which of the provider's connections.

package import Foundation
package import Model
package import Postgres

package struct Tenant: Sendable {
    package let id: TenantID
    package let connectionID: String
    package let status: String
    package let createdAt: Date
}

package enum TenantError: Error, CustomStringConvertible {
    case exists(TenantID)
    package var description: String {
        switch self {
        case .exists(let tenant): "there is a tenant \(tenant) already"
        }
    }
}

/// Makes and lists tenants. For operators: not limited to one tenant.
package struct Tenants: Sendable {
    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    package func create(_ id: TenantID, connectionID: String) async throws -> Tenant {
        guard (1...32).contains(connectionID.utf8.count), connectionID.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else {
            throw InvalidValue("connection-id", "must be the provider's connection id: 1 to 32 digits")
        }
        // With its first tag, so that the first user's claim finds one open.
        let rows = try await self.pool.query(
            """
            with made as (
                insert into dialtone.tenants (tenant_id, connection_id) values (\(id), \(connectionID))
                on conflict do nothing
                returning tenant_id, connection_id, status, created_at),
            tag as (
                insert into dialtone.tenant_tags (tenant_id, shard, tag) select tenant_id, 1, tenant_id from made)
            select tenant_id, connection_id, status, created_at from made
            """)
        guard let row = rows.first else { throw TenantError.exists(id) }
        return try Self.read(row)
    }

    package func list() async throws -> [Tenant] {
        try await self.pool.query(
            "select tenant_id, connection_id, status, created_at from dialtone.tenants order by tenant_id"
        ).map(Self.read)
    }

    package func show(_ id: TenantID) async throws -> Tenant? {
        try await self.pool.query(
            "select tenant_id, connection_id, status, created_at from dialtone.tenants where tenant_id = \(id)"
        ).first.map(Self.read)
    }

    private static func read(_ row: PostgresRow) throws -> Tenant {
        var columns = row.columns
        return Tenant(
            id: try columns.next(), connectionID: try columns.next(), status: try columns.next(),
            createdAt: try columns.next())
    }
}
