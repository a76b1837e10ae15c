// SPDX-License-Identifier: Apache-2.0
// An operator says what a ledger on another system is: the same installation, restored, or a second one, cloned.

import Foundation
import Model
package import Postgres
import Queue

package enum InstallationConfirmation {
    /// Returns what this installation is; nil when the ledger has no installation.
    package static func state(on connection: PostgresConnection) async throws -> InstallationState? {
        try await connection.query(
            """
            select installation.id,
                   incarnation.change,
                   -- Before any worker has run there is no era, and nothing to look for.
                   incarnation.era is not null and exists (
                       select 1 from dialtone.tenants tenant where tenant.seen_era is distinct from incarnation.era),
                   coalesce(incarnation.is_stopped, false)
            from dialtone.installation installation left join dialtone.incarnation incarnation on true
            """
        ).first.map { row in
            var columns = row.columns
            return InstallationState(
                id: try columns.next(), change: try columns.next(String?.self), looksFirst: try columns.next(),
                isStopped: try columns.next())
        }
    }

    /// This is the same installation on another system. Deletes at the provider may resume.
    package static func confirmSame(on connection: PostgresConnection) async throws {
        _ = try await connection.query("update dialtone.incarnation set is_stopped = false")
    }

    /// This is a second installation beside the first.
    ///
    /// It gets an id of its own and lets go of every credential, because the first one owns them. Each user who should
    /// have a credential gets the next generation, under a name of its own. Throws `InstallationError.workersRun` while
    /// a worker's lock is held or a lease lasts.
    package static func confirmClone(
        by identity: ServerIdentity = .system, on connection: PostgresConnection
    ) async throws {
        try await connection.withTransaction {
            // Every user's credential and job changes, however many there are.
            _ = try await connection.query("set local statement_timeout = 0")
            // Taken before the question: this lock keeps out the row locks that a worker needs to write what it has
            // found.
            _ = try await connection.query("lock table dialtone.users in exclusive mode")
            guard try await connection.query(Self.signsOfWorkers).isEmpty else { throw InstallationError.workersRun }
            for statement in Self.letGo { _ = try await connection.query(statement) }
            _ = try await connection.query(Self.standHere(identity))
        }
    }

    /// Workers whose lock is held, and jobs whose lease has not ended. A copy of a live disk holds leases that no
    /// worker of its own will ever end, so they count for as long as they last. Index jobs_leased.
    private static let signsOfWorkers: SQL = """
        select worker from (\(Presence.held)) held
        union all
        select worker from dialtone.jobs where state in ('armed', 'looking') and lease_until > statement_timestamp()
        """

    private static let letGo: [SQL] = [
        "update dialtone.installation set id = gen_random_uuid()",
        "delete from dialtone.jobs",
        "delete from dialtone.doubts",
        "delete from dialtone.surplus",
        """
        update dialtone.credentials set status = 'deleted', deleted_at = clock_timestamp(), close_after = null
        where status <> 'deleted'
        """,
        // No tag has been seen with the names that this installation makes from now on.
        "update dialtone.tenants set seen_era = null",
        """
        update dialtone.tenant_tags
        set held = 0, empty_since = null, seen_era = null, listed_at = null, changed_at = clock_timestamp(),
            busy_since = null, due_at = clock_timestamp(), others = 0, miscounts = 0, failures = 0, would_change = null
        """,
        "update dialtone.account_walk set page = 1, pages = null, started_at = null, due_at = clock_timestamp()",
        "update dialtone.users set status = 'revoked' where wanted = 'gone' and status <> 'revoked'",
        """
        update dialtone.users set generation = generation + 1, status = 'pending', ready_at = null where wanted = 'live'
        """,
        """
        with wanting as (
            select tenant_id, user_id, generation,
                   \(ServerClock.now) + row_number() over () as place,
                   clock_timestamp() as enqueued_at
            from dialtone.users where wanted = 'live')
        \(JobQueue.enqueue(from: "wanting"))
        """,
    ]

    /// The clone belongs to this server, and the operator's word is given: a worker meets it as restarted. On another
    /// server the same data is a restore, which asks for a word again.
    ///
    /// No server started at 0. So nothing is claimed until a worker has adopted this one and each has asked again.
    private static func standHere(_ identity: ServerIdentity) -> SQL {
        switch identity {
        case .system:
            """
            update dialtone.incarnation
            set \(Self.asIfStandingHere),
                system_identifier = (select system_identifier from pg_control_system()),
                timeline = ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::bigint
            """
        case .start:
            """
            update dialtone.incarnation
            set \(Self.asIfStandingHere), system_identifier = null, timeline = null
            """
        }
    }

    private static let asIfStandingHere: SQL = """
        is_stopped = false, started = 0, quiet_until = null, database_oid = \(KnownServer.database),
        filenode = \(KnownServer.file)
        """
}
