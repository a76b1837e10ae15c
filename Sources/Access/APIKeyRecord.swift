// SPDX-License-Identifier: Apache-2.0
// An API key as lists show it.

package import Foundation
package import Model
package import Postgres

/// What is kept of a key, without its hash. The secret itself is not kept.
package struct APIKeyRecord: Sendable {
    package let id: String
    /// Nil for an operator's key, which reaches every tenant.
    package let tenant: TenantID?
    package let scopes: [Scope]
    package let createdAt: Date
    /// Nil: it has no end.
    package let expiresAt: Date?
    package let revokedAt: Date?
}

extension APIKeyRecord {
    /// Returns the keys of one tenant, or all when `tenant` is nil, the oldest first. `after`: the id of the last key
    /// of an earlier page. Index api_keys_tenant, or api_keys whole.
    ///
    /// `read` runs the statement. A tenant's role sees the tenant's own keys alone, and of no key the hash.
    package static func list(
        of tenant: TenantID?, after: String? = nil, limit: Int? = nil, by read: (SQL) async throws -> PostgresRows
    ) async throws -> [APIKeyRecord] {
        let wall: SQL = tenant.map { "tenant_id = \($0)" } ?? "true"
        let behind: SQL =
            after.map {
                "(created_at, key_id) > (select created_at, key_id from dialtone.api_keys where key_id = \($0))"
            } ?? "true"
        return try await read(
            """
            select key_id, tenant_id, scopes, created_at, expires_at, revoked_at from dialtone.api_keys
            where \(wall) and \(behind) order by created_at, key_id limit \(limit)
            """
        ).map { row in
            var columns = row.columns
            return APIKeyRecord(
                id: try columns.next(), tenant: try columns.next(),
                scopes: try columns.next([String].self).compactMap(Scope.init(rawValue:)),
                createdAt: try columns.next(), expiresAt: try columns.next(Date?.self),
                revokedAt: try columns.next(Date?.self))
        }
    }
}
