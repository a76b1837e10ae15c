// SPDX-License-Identifier: Apache-2.0
// An operator's actions on one user: take the credential away, replace it, or try again.
//
// An action only changes what is wanted of the user and enqueues the user's job; the worker does the rest. Each action
// is one transaction that locks the user's row first. So its statements see everything that was committed under that
// lock, and no finish of the job comes in between.

import Foundation
package import Model
package import Postgres
import Queue

package struct UserActions: Sendable {
    private let pool: PostgresPool
    private let request: String

    /// `request`: the id of the request or command that asks, which is shown to whoever asked. 255 bytes at most.
    package init(pool: PostgresPool, request: String) {
        self.pool = pool
        self.request = request
    }

    /// Does what a `user.deleted` event does: every credential of the user at the provider will be deleted. Returns the
    /// new status.
    ///
    /// The operator's word is kept beside the sender's time line and not in it, because that line is the sender's
    /// clock's. From now on only a sign-up from after this moment makes a new credential. A user who is gone already is
    /// held from now on too.
    package func revoke(_ user: UserKey) async throws -> UserStatus {
        try await self.change(user, by: .revoke) { connection, status, cause in
            _ = try await connection.query(Self.hold(user))
            if status == .revoked || status == .revoking { return status }
            _ = try await connection.query(
                """
                update dialtone.users
                set wanted = 'gone', status = 'revoking', ready_at = null, wished_by = 'operator',
                    cause_id = \(cause)
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

    /// Does what a `user.created` event does, for a user who was revoked: the next generation is made.
    ///
    /// It serves senders that give no times: their sign-up after a delete looks like one before it. Each line of the
    /// senders moves on by a microsecond. What was said before is then past, also when it comes again, and a newer word
    /// counts as ever.
    package func reopen(_ user: UserKey) async throws -> UserStatus {
        try await self.change(user, by: .reopen, locking: PersonReopening.lock(user)) { connection, status, cause in
            guard status == .revoked || status == .revoking else { throw UserActionError.notRevoked(status) }
            _ = try await connection.query(
                """
                update dialtone.users
                set wanted = 'live', status = 'pending', generation = generation + 1, ready_at = null,
                    received_at = clock_timestamp(), occurred_at = occurred_at + interval '1 microsecond',
                    held_at = null, wished_by = 'operator', cause_id = \(cause)
                where tenant_id = \(user.tenant) and user_id = \(user.user) and wanted = 'gone'
                """)
            _ = try await connection.query(PersonReopening.reopen(user))
            _ = try await connection.query(Self.enqueue(user))
            return .pending
        }
    }

    /// Makes the next generation. The present credential serves until the next one exists, and `overlap` longer.
    package func rotate(_ user: UserKey, overlap: Duration) async throws -> UserStatus {
        try await self.change(user, by: .rotate) { connection, status, _ in
            guard status == .ready else { throw UserActionError.notReady(status) }
            _ = try await connection.query(
                """
                update dialtone.users set generation = generation + 1
                where tenant_id = \(user.tenant) and user_id = \(user.user) and wanted = 'live'
                """)
            _ = try await connection.query(Self.enqueue(user))
            _ = try await connection.query(Self.turnToNewGeneration(user, overlap: overlap))
            return status
        }
    }

    /// Tries again now. The job of a user who failed looks first; a user who waits for a later try is tried at once.
    package func retry(_ user: UserKey) async throws -> UserStatus {
        try await self.change(user, by: .retry) { connection, status, _ in
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

    // MARK: The parts of an action

    /// Runs `work` in a transaction under the lock of the user's row, and gives it the user's status and the action's
    /// id. The action's own row comes last.
    ///
    /// This is the first lock of every action: the user before the job. Only an action that also changes what sources
    /// have told locks people before. Primary key users_pkey.
    private func change(
        _ user: UserKey, by action: UserAction, locking people: SQL? = nil,
        _ work: (PostgresConnection, UserStatus, UUID) async throws -> UserStatus
    ) async throws -> UserStatus {
        let record = ActionRecord(id: UUID(), action: action, request: self.request)
        return try await self.pool.withTransaction { connection in
            if let people { _ = try await connection.query(people) }
            let row = try await connection.query(
                """
                select status from dialtone.users
                where tenant_id = \(user.tenant) and user_id = \(user.user) for no key update
                """
            ).first
            guard var columns = row?.columns else { throw UserActionError.unknownUser(user) }
            let status = try await work(connection, try columns.next(), record.id)
            _ = try await connection.query(record.write(user))
            return status
        }
    }

    /// Notes the operator's revoke. A line without a time begins before all times, so that a sign-up with a time can be
    /// newer. A user who is held already stays held from then.
    private static func hold(_ user: UserKey) -> SQL {
        """
        update dialtone.users
        set held_at = clock_timestamp(), occurred_at = coalesce(occurred_at, '-infinity')
        where tenant_id = \(user.tenant) and user_id = \(user.user) and held_at is null
        """
    }

    /// Puts the user's job at the present end of the queue, unless the user has a job already.
    private static func enqueue(_ user: UserKey) -> SQL {
        """
        with wanting as (
            select tenant_id, user_id, generation, \(ServerClock.now) as place,
                   clock_timestamp() as enqueued_at
            from dialtone.users where tenant_id = \(user.tenant) and user_id = \(user.user))
        \(JobQueue.enqueue(from: "wanting"))
        """
    }

    /// Gives the user's job the overlap, and turns a job that waits to the new generation.
    ///
    /// Such a job waits to delete an older credential. It makes the new credential first, and deletes when that is due.
    /// `before` keeps the state before the update, for the log. It locks the job and enters by the unique key on
    /// (tenant_id, user_id). `JobLog.changedJob` reads the job as `jobs`.
    private static func turnToNewGeneration(_ user: UserKey, overlap: Duration) -> SQL {
        """
        with before as materialized (
            select id, state from dialtone.jobs
            where tenant_id = \(user.tenant) and user_id = \(user.user) for no key update),
        turned as (
            update dialtone.jobs
            set place = greatest(jobs.place, \(ServerClock.now)),
                overlap = \(overlap),
                generation = case when jobs.state = 'scheduled' and not jobs.in_doubt then owner.generation
                                  else jobs.generation end,
                tag = case when jobs.state = 'scheduled' and not jobs.in_doubt then null else jobs.tag end,
                state = case when jobs.state = 'scheduled' and not jobs.in_doubt then 'queued' else jobs.state end
            from dialtone.users owner, before
            where owner.tenant_id = \(user.tenant) and owner.user_id = \(user.user)
              and jobs.tenant_id = owner.tenant_id and jobs.user_id = owner.user_id and jobs.id = before.id
            returning \(JobLog.changedJob), before.state as from_state),
        changed as (select * from turned where from_state <> to_state)
        \(JobLog.write(from: "changed"))
        """
    }
}
