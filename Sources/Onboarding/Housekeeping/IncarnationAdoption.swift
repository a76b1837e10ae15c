// SPDX-License-Identifier: Apache-2.0
// The statement that takes another server for the ledger's own and writes down what happened to the one before.

import Model
import Postgres
import Queue

extension Incarnation {
    /// Adopts the server that answers; `Incarnation.swift` explains the cases.
    ///
    /// `identity`: by what the server is known. `lease`: what each claimed job gets anew. `landingTime`: how long a
    /// create that was sent may still appear.
    ///
    /// Of two nodes the second waits for the first one's row, finds it written, and changes nothing. Returns one row,
    /// as `Incarnation.read` expects it, when this statement has adopted the server; else none. A standby is never
    /// adopted.
    static func adopt(by identity: ServerIdentity = .system, lease: Duration, landingTime: Duration) -> SQL {
        """
        with server as (\(Self.answeringServer(by: identity))),
        known as materialized (\(Self.lockedRow)),
        verdict as (\(Self.comparison)),
        written as (\(Self.writeVerdict(quietFor: lease + landingTime))),
        held as materialized (\(Self.lockedJobs)),
        leases as (\(Self.giveLeasesAnew(lease))),
        tenants as (\(Self.allSeen("tenants"))),
        tags as (\(Self.allSeen("tenant_tags")))
        select written.era, written.started, written.change, true, installation.id, \(ServerClock.statementStart)
        from written, dialtone.installation installation
        """
    }

    /// Reads what the answering server says of itself. The timeline is the first 8 hexadecimal digits of the name of a
    /// WAL file. `pg_walfile_name` fails on a standby. Known by its start alone, a server has neither of the two.
    private static func answeringServer(by identity: ServerIdentity) -> SQL {
        switch identity {
        case .system:
            """
            select \(Self.whatEachServerShows),
                   (select system_identifier from pg_control_system()) as system,
                   case when pg_is_in_recovery() then null
                   else ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::bigint end
                   as timeline
            """
        case .start:
            """
            select \(Self.whatEachServerShows), null::bigint as system, null::bigint as timeline
            """
        }
    }

    private static let whatEachServerShows: SQL = """
        \(ServerClock.start) as started, \(KnownServer.database) as database, \(KnownServer.file) as file,
        pg_is_in_recovery() as is_standby
        """

    /// Locks the row and reads it as the last adoption has left it. Of two nodes one waits here. Before the first
    /// adoption there is no row.
    private static let lockedRow: SQL = """
        select * from dialtone.incarnation for update
        """

    /// Decides what happened. Returns no row when the server is known already or is a standby. After `confirm --clone`
    /// the row has no start, and nothing was forgotten.
    ///
    /// `is_loss`: commits may be missing, so what they allowed may still be on its way.
    private static let comparison: SQL = """
        select judged.*, judged.change not in ('first', 'restart') as is_loss from (
            select server.*, case
                       when known.started is null then 'first'
                       when known.database_oid is distinct from server.database then 'restore'
                       when known.system_identifier <> server.system then 'restore'
                       when known.started = 0 and known.system_identifier is not distinct from server.system
                            and known.filenode = server.file then 'restart'
                       when (server.system is null or known.system_identifier is null)
                            and known.started <> server.started then 'unknown'
                       when known.timeline <> server.timeline then 'failover'
                       when known.filenode is distinct from server.file then 'reload'
                       else 'restart' end as change,
                   known.is_stopped, known.has_lost
            from server left join known on true
            where not server.is_standby
              and (known.started is distinct from server.started or known.database_oid is distinct from server.database
                   or known.filenode is distinct from server.file)) judged
        """

    /// Writes the verdict into the one row, with an era of its own. `is_stopped` and `has_lost` stay when an earlier
    /// change has set them. The quiet time stays too while it is ahead and this change has lost nothing.
    private static func writeVerdict(quietFor time: Duration) -> SQL {
        """
        insert into dialtone.incarnation as stored (
            system_identifier, timeline, started, database_oid, filenode, change, era, has_lost, quiet_until,
            is_stopped)
        select system, timeline, started, database, file, change, (random() * 9e18)::bigint,
               change <> 'first' or coalesce(has_lost, false), case when is_loss then clock_timestamp() + \(time) end,
               change in ('restore', 'unknown') or coalesce(is_stopped, false)
        from verdict
        on conflict (only_row) do update
        set system_identifier = excluded.system_identifier, timeline = excluded.timeline, started = excluded.started,
            database_oid = excluded.database_oid, filenode = excluded.filenode, change = excluded.change,
            changed_at = clock_timestamp(), era = excluded.era, has_lost = true, is_stopped = excluded.is_stopped,
            quiet_until = coalesce(excluded.quiet_until,
                                   case when stored.quiet_until > clock_timestamp() then stored.quiet_until end)
        -- Without a row to lock, two nodes may both decide 'first'; the second then changes nothing here.
        where stored.started <> excluded.started or stored.database_oid is distinct from excluded.database_oid
           or stored.filenode is distinct from excluded.filenode
        returning started, change, era
        """
    }

    /// Locks the jobs that a worker holds, when a verdict was written. Intake and `move` lock several jobs in their
    /// users' order too, so two statements cannot wait for each other. Index jobs_leased.
    private static let lockedJobs: SQL = """
        select job.id from dialtone.jobs job, written where job.state in ('armed', 'looking')
        order by job.tenant_id, job.user_id for no key update of job
        """

    /// Gives each claimed job a lease by this server's clock.
    private static func giveLeasesAnew(_ lease: Duration) -> SQL {
        """
        update dialtone.jobs job set lease_until = clock_timestamp() + \(lease)
        from written, held where job.id = held.id and job.state in ('armed', 'looking')
        """
    }

    /// The rows of a table that has `seen_era` are seen when the ledger has met its first server: nothing can be lost.
    private static func allSeen(_ table: String) -> SQL {
        """
        update dialtone.\(unsafeText: table) set seen_era = written.era from written where written.change = 'first'
        """
    }
}
