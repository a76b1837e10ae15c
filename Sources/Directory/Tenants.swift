// SPDX-License-Identifier: Apache-2.0
// The tenants: whose users these are, and which of the provider's connections each tenant has.

import Foundation
package import Model
package import Postgres

/// Makes and lists tenants. Only operators use it: it is not limited to one tenant.
package struct Tenants: Sendable {
    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    /// Makes the tenant and its first tag in one statement, so that the first user's claim finds an open tag. `life`:
    /// how long its credentials are to live; nil: as long as the provider lets them.
    ///
    /// While the server has never changed, the tenant is seen: nothing can have been made for it. Before a worker has met
    /// the first server there is no era yet. Then the tenant's is 0, because the adoption may not see a row that is just
    /// being made. Later it may be one that the ledger has forgotten, so its creates look first until its tag has been
    /// listed.
    package func create(_ id: TenantID, connectionID: String, life: Duration? = nil) async throws -> Tenant {
        try Self.check(connectionID)
        let rows = try await self.pool.query(
            """
            with ledger as (
                select era from dialtone.incarnation where not has_lost
                union all select 0 where not exists (select 1 from dialtone.incarnation)),
            made as (
                insert into dialtone.tenants (tenant_id, connection_id, credential_life, seen_era)
                values (\(id), \(connectionID), \(life), (select era from ledger))
                on conflict do nothing
                returning \(Self.columns)),
            tag as (
                insert into dialtone.tenant_tags (tenant_id, shard, tag, seen_era, changed_at, due_at)
                select made.tenant_id, 1, made.tenant_id, (select era from ledger), clock_timestamp(),
                       clock_timestamp() + (select coalesce(max(interval '10 minutes'), interval '0') from ledger)
                from made)
            select \(Self.columns) from made
            """)
        guard let row = rows.first else { throw TenantError.exists(id) }
        return try Self.read(row)
    }

    /// Changes how long the tenant's later credentials are to live. Those that are there keep their end.
    package func update(_ id: TenantID, life: Duration?) async throws -> Tenant {
        let rows = try await self.pool.query(
            """
            update dialtone.tenants set credential_life = \(life) where tenant_id = \(id) returning \(Self.columns)
            """)
        guard let row = rows.first else { throw TenantError.unknown(id) }
        return try Self.read(row)
    }

    /// Gives the tenant another connection. Its later creates belong to that one. Credentials that are there, and creates
    /// that are under way, stay with the connection before, which this returns too.
    ///
    /// Locks the tenant's row: of two moves the second sees the first.
    package func move(_ id: TenantID, to connectionID: String) async throws -> (tenant: Tenant, before: String) {
        try Self.check(connectionID)
        let rows = try await self.pool.query(
            """
            with before as materialized (
                select tenant_id as slug, connection_id as connection from dialtone.tenants where tenant_id = \(id)
                for no key update)
            update dialtone.tenants set connection_id = \(connectionID) from before where tenant_id = before.slug
            returning \(Self.columns), before.connection
            """)
        guard let row = rows.first else { throw TenantError.unknown(id) }
        var columns = row.columns
        let tenant = try Self.read(&columns)
        return (tenant, try columns.next())
    }

    private static func check(_ connectionID: String) throws(InvalidValue) {
        guard (1...32).contains(connectionID.utf8.count), connectionID.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else {
            throw InvalidValue("connection-id", "must be the provider's connection id: 1 to 32 digits")
        }
    }

    package func list() async throws -> [Tenant] {
        try await self.pool.query("select \(Self.columns) from dialtone.tenants order by tenant_id").map(Self.read)
    }

    package func show(_ id: TenantID) async throws -> Tenant? {
        try await self.pool.query("select \(Self.columns) from dialtone.tenants where tenant_id = \(id)")
            .first.map(Self.read)
    }

    private static let columns: SQL = "tenant_id, connection_id, status, created_at, credential_life"

    private static func read(_ row: PostgresRow) throws -> Tenant {
        var columns = row.columns
        return try self.read(&columns)
    }

    private static func read(_ columns: inout PostgresColumns) throws -> Tenant {
        Tenant(
            id: try columns.next(),
            connectionID: try columns.next(),
            status: try columns.next(),
            createdAt: try columns.next(),
            credentialLife: try columns.next())
    }
}
