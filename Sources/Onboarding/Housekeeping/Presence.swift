// SPDX-License-Identifier: Apache-2.0
// A node's sign of life: a session advisory lock on a connection of its own, which goes when the node does.

package import Postgres
import Queue
import Synchronization

/// Holds the lock for as long as the node runs. A hint only: it lets others rescue a dead node's jobs at once; without
/// it, as behind a pooler, the lease alone decides.
package final class Presence: Sendable {
    private let configuration: PostgresConfiguration
    /// Names this node's lock, in the space of Dialtone's locks.
    let key: Int32

    /// `key`: random per process.
    package init(_ configuration: PostgresConfiguration, key: Int32 = Int32.random(in: 1...Int32.max)) {
        self.configuration = configuration
        self.key = key
    }

    /// Runs until the task is cancelled; the lock is free when it returns. A lost connection is made again: until then
    /// the lock is free, and a node that is not back within two seconds counts as gone. What it has in hand is looked
    /// up then, and it goes on as another worker, which nobody has seen hold a lock.
    package func run() async {
        while !Task.isCancelled {
            try? await self.hold()
            try? await Task.sleep(for: .milliseconds(200))
        }
    }

    private func hold() async throws {
        let connection = try await PostgresConnection.connect(self.configuration)
        // An older session of ours that the server has not given up yet may hold it still: then that one is the sign.
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

    /// Says which lock stands for a worker.
    static func register(_ worker: SQL, key: Int32) -> SQL {
        """
        insert into dialtone.workers (worker, lock_key) values (\(worker), \(key)) on conflict (worker) do nothing
        """
    }

    /// Looks which locks are held, and writes down what has changed. A lock that was never seen held says nothing; one
    /// that was, under another start of the server, neither.
    static let watch: SQL = """
        with seen as materialized (
            select w.worker, l.objid is not null as is_held
            from dialtone.workers w left join pg_locks l
                on l.locktype = 'advisory' and l.database = (select oid from pg_database where datname = current_database())
               and l.classid::bigint = \(space) and l.objid::bigint = w.lock_key and l.objsubid = 2 and l.granted)
        update dialtone.workers w
        set held_under = case when seen.is_held then \(ServerClock.start) else w.held_under end,
            free_since = case when seen.is_held then null else coalesce(w.free_since, clock_timestamp()) end
        from seen
        where seen.worker = w.worker
          and (seen.is_held and (w.free_since is not null or w.held_under is distinct from \(ServerClock.start))
               or not seen.is_held and w.free_since is null)
        """

    /// Rows of workers that are gone and have no job left.
    static let forget: SQL = """
        delete from dialtone.workers w
        where w.free_since < clock_timestamp() - interval '1 minute'
          and not exists (select 1 from dialtone.jobs j where j.state in ('armed', 'looking') and j.worker = w.worker)
        """
}
