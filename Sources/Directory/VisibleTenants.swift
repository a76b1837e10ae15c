// SPDX-License-Identifier: Apache-2.0
// The tenants that a caller may ask about: a tenant's key sees its own, an operator's key all.

package import Foundation
package import Model
import Postgres

package struct TenantEntry: Sendable, Codable, Equatable {
    package let tenant: String
    package let status: String
    package let connectionID: String
    package let createdAt: Date
    /// How long its credentials are to live; null: as long as the provider lets them.
    @OrNull package var credentialLifeDays: Int?

    package init(_ tenant: Tenant) {
        self.init(
            tenant: tenant.id.rawValue, status: tenant.status, connectionID: tenant.connectionID,
            createdAt: tenant.createdAt, life: tenant.credentialLife)
    }

    private init(tenant: String, status: String, connectionID: String, createdAt: Date, life: Duration?) {
        self.tenant = tenant
        self.status = status
        self.connectionID = connectionID
        self.createdAt = createdAt
        self._credentialLifeDays = OrNull(wrappedValue: life.map { Int($0.components.seconds / 86_400) })
    }

    fileprivate static let columns: SQL = "tenant_id, status, connection_id, created_at, credential_life"

    fileprivate init(_ row: PostgresRow) throws {
        let (tenant, status, connection, created, life) = try row.decode(
            String.self, String.self, String.self, Date.self, Duration?.self)
        self.init(tenant: tenant, status: status, connectionID: connection, createdAt: created, life: life)
    }

    enum CodingKeys: String, CodingKey {
        case tenant, status
        case connectionID = "connection_id"
        case createdAt = "created_at"
        case credentialLifeDays = "credential_life_days"
    }
}

package struct VisibleTenants: Sendable {
    private let reads: TenantReads

    package init(reads: TenantReads) { self.reads = reads }

    /// Returns a page of tenants by name. Without `comparesTenants` the second wall alone holds a tenant's key back.
    /// Index tenants_pkey.
    package func page(
        for caller: Caller, comparesTenants: Bool = true, after cursor: String?, limit: Int
    ) async throws -> (tenants: [TenantEntry], next: String?) {
        let after = try cursor.map { try ListCursor.place($0, of: "tenants", count: 1)[0] } ?? ""
        var wall: SQL = ""
        if case .tenant(let own) = caller.reach, comparesTenants { wall = "and tenant_id = \(own)" }
        let statement: SQL = """
            select \(TenantEntry.columns) from dialtone.tenants
            where tenant_id > \(after) \(wall) order by tenant_id limit \(limit + 1)
            """
        let rows = try await self.reads.rows(for: Onlooker(caller), statement)
        let tenants = try rows.prefix(limit).map { try TenantEntry($0) }
        let last = rows.count > limit ? tenants.last?.tenant : nil
        return (tenants, last.map { ListCursor(list: "tenants", place: [$0]).text })
    }

    /// Returns one tenant; nil when the reader sees none of that name. Index tenants_pkey.
    package func show(_ tenant: TenantID, as reader: Reader) async throws -> TenantEntry? {
        let one: SQL = "select \(TenantEntry.columns) from dialtone.tenants where tenant_id = \(tenant)"
        return try await self.reads.rows(as: reader, [one])[0].first.map { try TenantEntry($0) }
    }
}
