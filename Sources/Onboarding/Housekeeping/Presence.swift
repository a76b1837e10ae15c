// SPDX-License-Identifier: Apache-2.0
// A node's sign of life: a session advisory lock on a connection of its own, which goes when the node does.

import Model
package import Postgres
import Queue
import Synchronization

/// Holds the lock for as long as the node runs.
///
/// The lock is a hint only: with it, others rescue a dead node's jobs at once. Behind a pooler a node has no lock, and
/// the lease alone decides.
package final class Presence: Sendable {
    private let configuration: PostgresConfiguration
    /// The second key of this node's lock; the first is `space`.
    let key: Int32

    /// `key`: random per process.
    package init(_ configuration: PostgresConfiguration, key: Int32 = Int32.random(in: 1...Int32.max)) {
        self.configuration = configuration
        self.key = key
    }

    /// Runs until the task is cancelled; the lock is free when it returns.
    ///
    /// A lost connection is made again, and the lock is free until then. A node whose lock stays free for two seconds
    /// counts as gone. The jobs that it holds are then looked up, and it goes on as a new worker. The new worker has
    /// never been seen to hold a lock, so its leases alone decide.
    package func run() async {
        while !Task.isCancelled {
            try? await self.hold()
            try? await Task.sleep(for: .milliseconds(200))
        }
    }

    private func hold() async throws {
        let connection = try await PostgresConnection.connect(self.configuration)
        // The server may not have given up an older session of this node yet. Then that session still holds the lock.
        var isHeld = false
        while !Task.isCancelled {
            if !isHeld {
                let row = try await connection.query("select pg_try_advisory_lock(\(Self.space), \(self.key))").first
                isHeld = try row?.decode(Bool.self) ?? false
            }
            let heard = try await connection.notifications(until: .now + .seconds(isHeld ? 5 : 1))
            if heard.isEmpty { _ = try await connection.query("select 1") }
        }
        await connection.close()
    }

    /// The first key of all of Dialtone's locks: "dial" in ASCII.
    static let space: Int32 = 0x6469_616C

    /// Writes down which lock stands for a worker.
    static func register(_ worker: SQL, key: Int32) -> SQL {
        """
        insert into dialtone.workers (worker, lock_key) values (\(worker), \(key)) on conflict (worker) do nothing
        """
    }

    /// True for the row of pg_locks, as `node_lock`, that is the held lock of a row of `workers`, as `node`. Locks of
    /// another database do not count. An advisory lock with two keys has them in classid and objid, and objsubid 2
    /// (PostgreSQL, pg_locks).
    private static let isLockOfNode: SQL = """
        node_lock.locktype = 'advisory'
        and node_lock.database = (select oid from pg_database where datname = current_database())
        and node_lock.classid::bigint = \(space) and node_lock.objid::bigint = node.lock_key
        and node_lock.objsubid = 2 and node_lock.granted
        """

    /// Workers whose lock is held now.
    static let held: SQL = """
        select node.worker from dialtone.workers node join pg_locks node_lock on \(isLockOfNode)
        """

    /// Reads which locks are held and writes down what has changed.
    ///
    /// A lock says nothing until it has been seen held under the present start of the server.
    static let watch: SQL = """
        with seen as materialized (
            select node.worker, node_lock.objid is not null as is_held
            from dialtone.workers node left join pg_locks node_lock on \(isLockOfNode))
        update dialtone.workers node
        set held_under = case when seen.is_held then \(ServerClock.start) else node.held_under end,
            free_since = case when seen.is_held then null else coalesce(node.free_since, clock_timestamp()) end
        from seen
        where seen.worker = node.worker
          -- Only rows that change are written.
          and (seen.is_held
                   and (node.free_since is not null or node.held_under is distinct from \(ServerClock.start))
               or not seen.is_held and node.free_since is null)
        """

    /// Removes workers that have been gone for a minute and hold no job. Index jobs_leased.
    static let forget: SQL = """
        delete from dialtone.workers node
        where node.free_since < clock_timestamp() - interval '1 minute'
          and not exists (select 1 from dialtone.jobs job
                          where job.state in ('armed', 'looking') and job.worker = node.worker)
        """

    /// Removes former ids of this node that were seen and hold no job. Its lock is held, so `forget` leaves them. Index
    /// jobs_leased.
    static func forgetFormer(of key: Int32, except workers: [WorkerID]) -> SQL {
        """
        delete from dialtone.workers node
        where node.lock_key = \(key) and node.worker <> all(\(workers)) and node.held_under is not null
          and not exists (select 1 from dialtone.jobs job
                          where job.state in ('armed', 'looking') and job.worker = node.worker)
        """
    }
}
