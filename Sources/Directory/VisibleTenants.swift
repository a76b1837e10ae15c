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

    package init(_ tenant: Tenant) {
        self.init(
            tenant: tenant.id.rawValue, status: tenant.status, connectionID: tenant.connectionID,
            createdAt: tenant.createdAt)
    }

    init(tenant: String, status: String, connectionID: String, createdAt: Date) {
        self.tenant = tenant
        self.status = status
        self.connectionID = connectionID
        self.createdAt = createdAt
    }

    enum CodingKeys: String, CodingKey {
        case tenant, status
        case connectionID = "connection_id"
        case createdAt = "created_at"
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
            select tenant_id, status, connection_id, created_at from dialtone.tenants
            where tenant_id > \(after) \(wall) order by tenant_id limit \(limit + 1)
            """
        let rows: PostgresRows
        switch caller.reach {
        case .tenant(let own):
            rows = try await self.reads.rows(as: Reader(tenant: own, key: caller.keyID), [statement])[0]
        case .allTenants: rows = try await self.reads.rowsOfAll(by: caller.keyID, statement)
        }
        let tenants = try rows.prefix(limit).map { row in
            let (tenant, status, connection, created) = try row.decode(
                String.self, String.self, String.self, Date.self)
            return TenantEntry(tenant: tenant, status: status, connectionID: connection, createdAt: created)
        }
        let last = rows.count > limit ? tenants.last?.tenant : nil
        return (tenants, last.map { ListCursor(list: "tenants", place: [$0]).text })
    }
}
