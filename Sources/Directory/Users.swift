// SPDX-License-Identifier: Apache-2.0
// A tenant's users as the tenant may see them: never a password, and never another tenant's.

import Foundation
package import Model
package import Postgres
package import Vault

/// Reads users of one tenant at a time.
///
/// Each read is a transaction as `dialtone_tenant` with that tenant set, in one round trip. Row-level security is the
/// second wall, should a statement here ever forget its `where`.
package struct Users: Sendable {
    private let pool: PostgresPool
    private let vault: Vault
    private let shares: PoolShares
    private let timeLimit: Duration?

    /// `shares` counts the reads of each tenant and key. A statement ends after `timeLimit`; nil: as the session says.
    package init(
        pool: PostgresPool, vault: Vault, shares: PoolShares = PoolShares(), timeLimit: Duration? = nil
    ) {
        self.pool = pool
        self.vault = vault
        self.shares = shares
        self.timeLimit = timeLimit
    }

    /// Returns users in order of their id, after `cursor`. Pages go by key, so each costs the same wherever it begins.
    ///
    /// `key` is the id of the caller's key. Throws `PoolShares.TooMany` when its owner has enough reads under way.
    package func list(
        of tenant: TenantID, after cursor: UserID?, limit: Int, status: UserStatus? = nil, by key: String? = nil
    ) async throws -> UserPage {
        // One row more than the page holds shows whether there is a next page.
        let rows = try await self.read(
            tenant, by: key, [UserSelect.page(of: tenant, after: cursor, limit: limit + 1, status: status)])[0]
        var users: [UserEntry] = []
        for row in rows.prefix(limit) { users.append(try await self.entry(row)) }
        let last = rows.count > limit ? users.last.flatMap { UserID(rawValue: $0.userID) } : nil
        return UserPage(users: users, next: last.map { UserCursor(tenant: tenant, status: status, user: $0) })
    }

    package func show(_ user: UserKey, by key: String? = nil) async throws -> UserEntry? {
        guard let row = try await self.read(user.tenant, by: key, [UserSelect.one(user)])[0].first else { return nil }
        return try await self.entry(row)
    }

    /// Transitions shown at most; older ones stay in `job_log`.
    package static let timelineLimit = 200

    /// Returns the user and the newest transitions of the user's jobs, newest first. Nil when there is no such user.
    package func life(
        of user: UserKey, by key: String? = nil
    ) async throws -> (entry: UserEntry, timeline: [TimelineEntry])? {
        let rows = try await self.read(
            user.tenant, by: key, [UserSelect.one(user), UserSelect.timeline(user, limit: Self.timelineLimit)])
        guard let row = rows[0].first else { return nil }
        return (try await self.entry(row), try rows[1].map(Self.step))
    }

    // MARK: One read

    /// Runs the statements as the tenant, in one transaction and one round trip. Returns the rows of each.
    ///
    /// Cancelled here: a read that waits for a connection is withdrawn, and a statement that was sent is stopped.
    private func read(_ tenant: TenantID, by key: String?, _ statements: [SQL]) async throws -> [PostgresRows] {
        let owners = key.map { [PoolShare.tenant(tenant.rawValue), .key($0)] } ?? []
        return try await self.shares.hold(owners) {
            try await self.pool.withConnection { connection in
                let answers = try await connection.pipeline([
                    [Self.wall(tenant, timeLimit: self.timeLimit)] + statements
                ])[0]
                // The first to fail has the reason; the others were not run.
                return Array(try answers.map { try $0.get() }.dropFirst())
            }
        }
    }

    /// Makes the transaction the tenant's own until its end: it can only read, whatever a statement says.
    ///
    /// It also keeps the statements to their indexes, behind a pooler too. A bitmap would read all of a tenant's jobs
    /// for each page.
    static func wall(_ tenant: TenantID, timeLimit: Duration?) -> SQL {
        var limit: SQL = ""
        if let timeLimit {
            let time = "\(Int(timeLimit / .milliseconds(1)))ms"
            limit = ", set_config('statement_timeout', \(time), true)"
        }
        return """
            select set_config('transaction_read_only', 'on', true), set_config('enable_seqscan', 'off', true),
                   set_config('enable_bitmapscan', 'off', true), set_config('role', 'dialtone_tenant', true),
                   set_config('dialtone.tenant', \(tenant), true)\(limit)
            """
    }

    /// Reads a row of `UserSelect.timeline`, in the order of its columns.
    private static func step(_ row: PostgresRow) throws -> TimelineEntry {
        var columns = row.columns
        return TimelineEntry(
            at: try columns.next(), from: try columns.next(), to: try columns.next(),
            generation: try columns.next(), epoch: try columns.next(),
            worker: try columns.next(UUID?.self)?.uuidString.lowercased(),
            httpStatus: try columns.next(Int32?.self), providerRequestID: try columns.next(String?.self),
            errorCode: try columns.next(String?.self))
    }

    /// Reads a row of `UserSelect.columns`, in the order of its columns.
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
