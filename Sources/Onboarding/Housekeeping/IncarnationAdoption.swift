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
        doubts as (\(Self.countDoubtAnew(quietFor: lease + landingTime)))
        select written.started, true, written.change, installation.id, \(ServerClock.statementStart)
        from written, dialtone.installation installation
        """
    }

    /// Reads what the answering server says of itself. The timeline is the first 8 hexadecimal digits of the name of a
    /// WAL file. `pg_walfile_name` fails on a standby. Known by its start alone, a server has neither of the two.
    private static func answeringServer(by identity: ServerIdentity) -> SQL {
        switch identity {
        case .system:
            """
            select \(ServerClock.start) as started, pg_is_in_recovery() as is_standby,
                   (select system_identifier from pg_control_system()) as system,
                   case when pg_is_in_recovery() then null
                   else ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::bigint end
                   as timeline
            """
        case .start:
            """
            select \(ServerClock.start) as started, pg_is_in_recovery() as is_standby,
                   null::bigint as system, null::bigint as timeline
            """
        }
    }

    /// Locks the row and reads it as the last adoption has left it. Of two nodes one waits here. Before the first
    /// adoption there is no row.
    private static let lockedRow: SQL = """
        select * from dialtone.incarnation for update
        """

    /// Decides what happened. Returns no row when the server is known already or is a standby. After `confirm --clone`
    /// the row has no server, and nothing was forgotten.
    private static let comparison: SQL = """
        select server.*, case when known.started is null then 'first'
                         when known.started = 0 and known.system_identifier is null and server.system is null
                         then 'restart'
                         when server.system is null or known.system_identifier is null then 'unknown'
                         when known.system_identifier <> server.system then 'restore'
                         when known.timeline <> server.timeline then 'failover'
                         else 'restart' end as change, known.is_stopped, known.looks_twice
        from server left join known on true
        where not server.is_standby and known.started is distinct from server.started
        """

    /// Writes the verdict into the one row. `looks_twice` and `is_stopped` stay when an earlier change has set them.
    /// The quiet time stays when neither this change nor an earlier one may have lost commits.
    private static func writeVerdict(quietFor time: Duration) -> SQL {
        """
        insert into dialtone.incarnation as stored (system_identifier, timeline, started, change, looks_first,
                                                    looks_twice, quiet_until, is_stopped)
        select system, timeline, started, change, change <> 'first',
               change in ('failover', 'restore', 'unknown') or coalesce(looks_twice, false),
               clock_timestamp() + \(time),
               change in ('restore', 'unknown') or coalesce(is_stopped, false)
        from verdict
        on conflict (only_row) do update
        set system_identifier = excluded.system_identifier, timeline = excluded.timeline, started = excluded.started,
            change = excluded.change, changed_at = clock_timestamp(), looks_first = true,
            looks_twice = excluded.looks_twice, is_stopped = excluded.is_stopped,
            quiet_until = case when excluded.change = 'restart' and not stored.looks_twice then stored.quiet_until
                               else excluded.quiet_until end
        -- Without a row to lock, two nodes may both decide 'first'; the second then changes nothing here.
        where stored.started <> excluded.started
        returning started, change
        """
    }

    /// Locks the jobs that a worker holds or that wait for a look, when a verdict was written. Intake and `move` lock
    /// several jobs in their users' order too, so two statements cannot wait for each other. Reads all jobs, which is
    /// rare: once after a change of the server.
    private static let lockedJobs: SQL = """
        select job.id from dialtone.jobs job, written where job.state in ('armed', 'looking', 'in_doubt')
        order by job.tenant_id, job.user_id for no key update of job
        """

    /// Gives each claimed job a lease by this server's clock.
    private static func giveLeasesAnew(_ lease: Duration) -> SQL {
        """
        update dialtone.jobs job set lease_until = clock_timestamp() + \(lease)
        from written, held where job.id = held.id and job.state in ('armed', 'looking')
        """
    }

    /// Starts the quiet time of each doubtful job anew when commits may be lost.
    private static func countDoubtAnew(quietFor time: Duration) -> SQL {
        """
        update dialtone.jobs job
        set quiet_until = clock_timestamp() + \(time)
        from written, held
        where job.id = held.id and job.state = 'in_doubt' and job.in_doubt
          and written.change in ('failover', 'restore', 'unknown')
        """
    }
}
