// SPDX-License-Identifier: Apache-2.0
// A tenant's users as the tenant may see them: never a password, and never another tenant's.

import Foundation
package import Model
package import Postgres
package import Vault

/// Reads users of one tenant at a time.
///
/// Each read is a transaction as `dialtone_tenant` with that tenant set. Row-level security is the second wall, should
/// a statement here ever forget its `where`.
package struct Users: Sendable {
    private let pool: PostgresPool
    private let vault: Vault

    package init(pool: PostgresPool, vault: Vault) {
        self.pool = pool
        self.vault = vault
    }

    /// Returns users in order of their id, after `cursor`. Pages go by key, so each costs the same wherever it begins.
    package func list(
        of tenant: TenantID, after cursor: UserID?, limit: Int, status: UserStatus? = nil
    ) async throws -> UserPage {
        // One row more than the page holds shows whether there is a next page.
        let rows = try await self.read(
            tenant,
            Self.select(
                """
                where owner.tenant_id = \(tenant) and owner.user_id > \(cursor?.rawValue ?? "")
                  and (\(status)::text is null or owner.status = \(status))
                order by owner.user_id limit \(limit + 1)
                """))
        var users: [UserEntry] = []
        for row in rows.prefix(limit) { users.append(try await self.entry(row)) }
        let next = rows.count > limit ? users.last.flatMap { UserID(rawValue: $0.userID) } : nil
        return UserPage(users: users, next: next)
    }

    package func show(_ user: UserKey) async throws -> UserEntry? {
        let rows = try await self.read(
            user.tenant, Self.select("where owner.tenant_id = \(user.tenant) and owner.user_id = \(user.user)"))
        guard let row = rows.first else { return nil }
        return try await self.entry(row)
    }

    /// Transitions shown at most; older ones stay in `job_log`.
    package static let timelineLimit = 200

    /// Returns the newest transitions of a user's jobs, newest first. Index job_log_user.
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
                generation: try columns.next(), epoch: try columns.next(),
                worker: try columns.next(UUID?.self)?.uuidString.lowercased(),
                httpStatus: try columns.next(Int32?.self), providerRequestID: try columns.next(String?.self),
                errorCode: try columns.next(String?.self))
        }
    }

    // MARK: One read

    private func read(_ tenant: TenantID, _ statement: SQL) async throws -> PostgresRows {
        try await self.pool.query(statement, as: "dialtone_tenant", with: ("dialtone.tenant", tenant.rawValue))
    }

    /// Selects users with the credential that serves: the newest active one, or else one that is being closed.
    ///
    /// Enters users and credentials by their primary keys.
    private static func select(_ rest: SQL) -> SQL {
        """
        select owner.tenant_id, owner.user_id, owner.status, coalesce(serving.generation, owner.generation),
               owner.received_at, owner.ready_at, serving.provider_id, serving.tag, serving.sealed_username
        from dialtone.users owner left join lateral (
            select credential.generation, credential.provider_id, credential.tag, credential.sealed_username
            from dialtone.credentials credential
            where credential.tenant_id = owner.tenant_id and credential.user_id = owner.user_id
              and (credential.status = 'active' or credential.status = 'closing' and owner.wanted = 'gone')
            -- 'active' sorts before 'closing'.
            order by credential.status, credential.generation desc limit 1) serving on true
        \(rest)
        """
    }

    /// Reads a row of `select`, in the order of its columns.
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
            credentialID: id?.rawValue, sipUsername: username, tag: tag, generation: generation,
            receivedAt: receivedAt, readyAt: readyAt)
    }
}
