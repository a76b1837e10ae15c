// SPDX-License-Identifier: Apache-2.0
// What an operator or a tenant's admin does with one user: take the credential away, replace it, or try again.

package import Model
package import Postgres
import Queue

package enum UserActionError: Error, Equatable, CustomStringConvertible {
    case unknownUser(UserKey)
    /// There is no credential to rotate.
    case notReady(UserStatus)
    /// There is nothing to retry.
    case notFailed(UserStatus)
    /// There is nothing to reopen.
    case notRevoked(UserStatus)

    package var description: String {
        switch self {
        case .unknownUser(let user): "there is no user \(user.user) of tenant \(user.tenant)"
        case .notReady(let status): "only a user who is ready can be rotated; this one is \(status.rawValue)"
        case .notRevoked(let status): "only a user who is revoked can be reopened; this one is \(status.rawValue)"
        case .notFailed(let status):
            "only a user who has failed or waits can be retried; this one is \(status.rawValue)"
        }
    }
}

/// Changes what is wanted of one user; the worker does the rest. Each is one transaction: the user's row is locked
/// first, so that the statements after it see all that was committed under that lock.
package struct UserActions: Sendable {
    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    /// As a `user.deleted`: whatever exists of the user at the provider goes. Answers the status. The sender's time stays as it is:
    /// it is by the sender's clock, and this database's may be ahead of that.
    package func revoke(_ user: UserKey) async throws -> UserStatus {
        try await self.change(user) { connection, status in
            if status == .revoked || status == .revoking { return status }
            _ = try await connection.query(
                """
                update dialtone.users
                set wanted = 'gone', status = 'revoking', ready_at = null
                where tenant_id = \(user.tenant) and user_id = \(user.user)
                """)
            _ = try await connection.query(
                """
                update dialtone.credentials set status = 'closing', close_after = null
                where tenant_id = \(user.tenant) and user_id = \(user.user) and status in ('active', 'closing')
                """)
            _ = try await connection.query(Self.enqueue(user))
            return .revoking
        }
    }

    /// As a `user.created`, for a user whose revoke stands: the next generation is made. For senders that give no times,
    /// whose sign-up after a delete nobody can tell from one before it. The sender's time stays as it is.
    package func reopen(_ user: UserKey) async throws -> UserStatus {
        try await self.change(user) { connection, status in
            guard status == .revoked || status == .revoking else { throw UserActionError.notRevoked(status) }
            _ = try await connection.query(
                """
                update dialtone.users
                set wanted = 'live', status = 'pending', generation = generation + 1, ready_at = null,
                    received_at = clock_timestamp()
                where tenant_id = \(user.tenant) and user_id = \(user.user) and wanted = 'gone'
                """)
            _ = try await connection.query(Self.enqueue(user))
            return .pending
        }
    }

    /// Makes the next generation; the present credential serves until that is there, and `overlap` longer.
    package func rotate(_ user: UserKey, overlap: Duration) async throws -> UserStatus {
        try await self.change(user) { connection, status in
            guard status == .ready else { throw UserActionError.notReady(status) }
            _ = try await connection.query(
                """
                update dialtone.users set generation = generation + 1
                where tenant_id = \(user.tenant) and user_id = \(user.user) and wanted = 'live'
                """)
            _ = try await connection.query(Self.enqueue(user))
            // A job that waits to delete an older credential makes the new one first, and deletes when that is due.
            _ = try await connection.query(
                """
                with before as materialized (
                    select id, state from dialtone.jobs
                    where tenant_id = \(user.tenant) and user_id = \(user.user) for no key update),
                turned as (
                update dialtone.jobs j
                set place = greatest(j.place, \(ServerClock.now)),
                    overlap = \(overlap),
                    generation = case when j.state = 'scheduled' and not j.in_doubt then u.generation else j.generation end,
                    tag = case when j.state = 'scheduled' and not j.in_doubt then null else j.tag end,
                    state = case when j.state = 'scheduled' and not j.in_doubt then 'queued' else j.state end
                from dialtone.users u, before b
                where u.tenant_id = \(user.tenant) and u.user_id = \(user.user)
                  and j.tenant_id = u.tenant_id and j.user_id = u.user_id and j.id = b.id
                returning \(JobQueue.moved), b.state as from_state),
                changed as (select * from turned where from_state <> to_state)
                \(JobQueue.log("changed"))
                """)
            return status
        }
    }

    /// Tries again for a user who failed, looking first; for one who waits for a later try, now.
    package func retry(_ user: UserKey) async throws -> UserStatus {
        try await self.change(user) { connection, status in
            switch status {
            case .ready, .revoked: throw UserActionError.notFailed(status)
            case .failed, .pending, .revoking: break
            }
            _ = try await connection.query(
                """
                update dialtone.users set status = case when wanted = 'live' then 'pending' else 'revoking' end
                where tenant_id = \(user.tenant) and user_id = \(user.user) and status = 'failed'
                """)
            _ = try await connection.query(Self.enqueue(user))
            _ = try await connection.query(
                """
                update dialtone.jobs set run_at = clock_timestamp()
                where tenant_id = \(user.tenant) and user_id = \(user.user) and state in ('scheduled', 'in_doubt')
                """)
            return status == .failed ? .pending : status
        }
    }

    /// The user's job, unless there is one, at the present end of the queue.
    private static func enqueue(_ user: UserKey) -> SQL {
        """
        with wanting as (
            select tenant_id, user_id, generation, \(ServerClock.now) as place,
                   clock_timestamp() as enqueued_at
            from dialtone.users where tenant_id = \(user.tenant) and user_id = \(user.user))
        \(JobQueue.enqueue(from: "wanting"))
        """
    }

    private func change(
        _ user: UserKey, _ work: (PostgresConnection, UserStatus) async throws -> UserStatus
    ) async throws -> UserStatus {
        try await self.pool.withTransaction { connection in
            let row = try await connection.query(
                """
                select status from dialtone.users
                where tenant_id = \(user.tenant) and user_id = \(user.user) for no key update
                """
            ).first
            guard var columns = row?.columns else { throw UserActionError.unknownUser(user) }
            return try await work(connection, try columns.next())
        }
    }
}
