// SPDX-License-Identifier: Apache-2.0
// An operator's word on a ledger that was found on another system: the same installation, restored, or a second one,
// cloned.

package import Foundation
import Model
package import Postgres
import Queue

/// This installation, and what is held up until somebody says what it is.
package struct InstallationState: Sendable {
    package let id: UUID
    /// `first`, `restart`, `failover` or `restore`; nil before any worker has run.
    package let change: String?
    package let looksFirst: Bool
    package let isStopped: Bool
}

package enum InstallationError: Error, CustomStringConvertible {
    case workersRun

    package var description: String {
        "a worker runs on this database; stop all of them first, for what they have in hand is the other installation's"
    }
}

package enum InstallationConfirmation {
    package static func state(on connection: PostgresConnection) async throws -> InstallationState? {
        try await connection.query(
            """
            select i.id, n.change, coalesce(n.looks_first, false), coalesce(n.is_stopped, false)
            from dialtone.installation i left join dialtone.incarnation n on true
            """
        ).first.map { row in
            var columns = row.columns
            return InstallationState(
                id: try columns.next(), change: try columns.next(String?.self), looksFirst: try columns.next(),
                isStopped: try columns.next())
        }
    }

    /// The installation moved: what is deleted is deleted again.
    package static func confirmSame(on connection: PostgresConnection) async throws {
        _ = try await connection.query("update dialtone.incarnation set is_stopped = false")
    }

    /// A second installation beside the first: it gets an id of its own, lets go of every credential the first one
    /// owns, and makes the next generation for each user who should have one, under names of its own.
    package static func confirmClone(on connection: PostgresConnection) async throws {
        try await connection.withTransaction {
            // Every user's credential and job changes, however many there are.
            _ = try await connection.query("set local statement_timeout = 0")
            // First the lock that a worker needs to write what it has found, then the question whether one is alive.
            _ = try await connection.query("lock table dialtone.users in exclusive mode")
            let alive = try await connection.query(
                """
                select 1 from dialtone.workers where free_since is null and held_under = \(ServerClock.start)
                union all select 1 from dialtone.jobs where state in ('armed', 'looking')
                """)
            guard alive.isEmpty else { throw InstallationError.workersRun }
            for statement in Self.letGo { _ = try await connection.query(statement) }
        }
    }

    private static let letGo: [SQL] = [
        "update dialtone.installation set id = gen_random_uuid()",
        "delete from dialtone.jobs",
        "delete from dialtone.surplus",
        "delete from dialtone.strays",
        // A sweep under way finds that it has lost its lease.
        "update dialtone.sweep set holder = null, held_until = null, started_at = null",
        """
        update dialtone.credentials set status = 'deleted', deleted_at = clock_timestamp(), close_after = null
        where status <> 'deleted'
        """,
        "update dialtone.tenant_tags set held = 0, empty_since = null",
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
        // Nothing is claimed until each worker has asked again whose ledger this is.
        "update dialtone.incarnation set is_stopped = false, started = 0",
    ]
}
