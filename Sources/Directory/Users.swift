// SPDX-License-Identifier: Apache-2.0
// A tenant's users as the tenant may see them: never a password, and never another tenant's.

package import Foundation
package import Model
package import Postgres
package import Vault

/// One user, as lists show it.
package struct UserEntry: Sendable, Encodable {
    package let tenant: String
    package let userID: String
    package let status: String
    package let credentialID: String?
    package let sipUsername: String?
    package let tag: String?
    package let generation: Generation
    package let receivedAt: Date
    package let readyAt: Date?

    enum CodingKeys: String, CodingKey {
        case tenant, status, tag, generation
        case userID = "user_id"
        case credentialID = "credential_id"
        case sipUsername = "sip_username"
        case receivedAt = "received_at"
        case readyAt = "ready_at"
    }
}

/// One page of users and where the next begins.
package struct UserPage: Sendable {
    package let users: [UserEntry]
    package let next: UserID?

    package init(users: [UserEntry], next: UserID?) {
        self.users = users
        self.next = next
    }
}

/// One step in the life of a user.
package struct TimelineEntry: Sendable, Encodable {
    package let at: Date
    package let from: String
    package let to: String
    package let generation: Generation
    package let epoch: Int64
    package let worker: String?
    package let httpStatus: Int32?
    package let providerRequestID: String?
    package let errorCode: String?

    enum CodingKeys: String, CodingKey {
        case at, from, to, generation, epoch, worker
        case httpStatus = "http_status"
        case providerRequestID = "provider_request_id"
        case errorCode = "error_code"
    }
}

/// Reads users of one tenant at a time.
///
/// Each read is a transaction as `dialtone_tenant` with that tenant set: row-level security is the second wall, should
/// a statement here ever forget its `where`.
package struct Users: Sendable {
    private let pool: PostgresPool
    private let vault: Vault

    package init(pool: PostgresPool, vault: Vault) {
        self.pool = pool
        self.vault = vault
    }

    /// Users in order of their id, after `cursor`. Keyset: a page costs the same wherever it begins.
    package func list(
        of tenant: TenantID, after cursor: UserID?, limit: Int, status: UserStatus? = nil
    ) async throws -> UserPage {
        let rows = try await self.read(
            tenant,
            Self.select(
                """
                where u.tenant_id = \(tenant) and u.user_id > \(cursor?.rawValue ?? "")
                  and (\(status)::text is null or u.status = \(status))
                order by u.user_id limit \(limit + 1)
                """))
        var users: [UserEntry] = []
        for row in rows.prefix(limit) { users.append(try await self.entry(row)) }
        let next = rows.count > limit ? users.last.flatMap { UserID(rawValue: $0.userID) } : nil
        return UserPage(users: users, next: next)
    }

    package func show(_ user: UserKey) async throws -> UserEntry? {
        let rows = try await self.read(
            user.tenant, Self.select("where u.tenant_id = \(user.tenant) and u.user_id = \(user.user)"))
        guard let row = rows.first else { return nil }
        return try await self.entry(row)
    }

    /// Transitions shown at most; older ones stay in `job_log`.
    package static let timelineLimit = 200

    /// The newest transitions of a user's jobs, newest first. Index job_log_user.
    package func timeline(_ user: UserKey, limit: Int = timelineLimit) async throws -> [TimelineEntry] {
        try await self.read(
            user.tenant,
            """
            select at, from_state, to_state, generation, epoch, worker, http_status, provider_request_id, error_code
            from dialtone.job_log where tenant_id = \(user.tenant) and user_id = \(user.user)
            order by at desc, epoch desc limit \(limit)
            """
        ).map { row in
            var columns = row.columns
            return TimelineEntry(
                at: try columns.next(), from: try columns.next(), to: try columns.next(),
                generation: try columns.next(),
                epoch: try columns.next(), worker: try columns.next(UUID?.self)?.uuidString.lowercased(),
                httpStatus: try columns.next(Int32?.self), providerRequestID: try columns.next(String?.self),
                errorCode: try columns.next(String?.self))
        }
    }

    /// With the credential that serves: the newest active one, else one that is being closed.
    private static func select(_ rest: SQL) -> SQL {
        """
        select u.tenant_id, u.user_id, u.status, coalesce(c.generation, u.generation), u.received_at, u.ready_at,
               c.provider_id, c.tag, c.sealed_username
        from dialtone.users u left join lateral (
            select c.generation, c.provider_id, c.tag, c.sealed_username from dialtone.credentials c
            where c.tenant_id = u.tenant_id and c.user_id = u.user_id
              and (c.status = 'active' or c.status = 'closing' and u.wanted = 'gone')
            order by c.status, c.generation desc limit 1) c on true
        \(rest)
        """
    }

    private func read(_ tenant: TenantID, _ statement: SQL) async throws -> PostgresRows {
        try await self.pool.withTransaction { connection in
            _ = try await connection.query("set local role dialtone_tenant")
            _ = try await connection.query("select set_config('dialtone.tenant', \(tenant), true)")
            return try await connection.query(statement)
        }
    }

    private func entry(_ row: PostgresRow) async throws -> UserEntry {
        var columns = row.columns
        let user = UserKey(tenant: try columns.next(), user: try columns.next())
        let status: UserStatus = try columns.next()
        let generation: Generation = try columns.next()
        let receivedAt: Date = try columns.next()
        let readyAt: Date? = try columns.next()
        let id: ProviderID? = try columns.next()
        let tag: String? = try columns.next()
        let sealed: Bytes? = try columns.next()
        var username: String?
        if let id, let sealed {
            let binding = SealedBinding.credential("sealed_username", of: user, generation: generation, id)
            // One value that cannot be opened must not hide all the others.
            username = try? await self.vault.open(sealed.value, binding).reveal()
        }
        return UserEntry(
            tenant: user.tenant.rawValue, userID: user.user.rawValue, status: status.rawValue,
            credentialID: id?.rawValue,
            sipUsername: username, tag: tag, generation: generation, receivedAt: receivedAt, readyAt: readyAt)
    }
}
