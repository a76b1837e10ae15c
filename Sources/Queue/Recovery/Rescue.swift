// SPDX-License-Identifier: Apache-2.0
// What time makes due: back-offs that end, leases that run out, jobs of workers that are gone.

package import Model
package import Postgres

/// The queue's recovery. Every statement may be repeated.
package enum Rescue {
    /// Puts scheduled jobs whose time has come back into the queue, at its present end. Index jobs_scheduled, up to
    /// now.
    ///
    /// A job that was ever in doubt looks first: it never becomes `queued` again.
    package static func promote(limit: Int) -> SQL {
        """
        with due as materialized (
            select id from dialtone.jobs where state = 'scheduled' and run_at <= statement_timestamp()
            order by run_at limit \(limit) for no key update skip locked),
        promoted as (
            update dialtone.jobs
            set state = case when jobs.in_doubt then 'in_doubt' else 'queued' end, waits_for = null,
                place = greatest(jobs.place, \(ServerClock.now))
            from due where jobs.id = due.id and jobs.state = 'scheduled'
            returning \(JobLog.changedJob), 'scheduled' as from_state)
        \(JobLog.write(from: "promoted")) returning job_id
        """
    }

    /// Puts jobs whose lease ran out into doubt, never straight back into the queue: their worker may have sent a
    /// create.
    ///
    /// Index jobs_leased, entered at `since` and left at now. `since` is the `statementStart` of a rescue that found
    /// all. While an old snapshot is open, the entries of all leases given since stand before it. A scan would look
    /// each of them up.
    package static func expiredLeases(limit: Int, landingTime: Duration, since: Int64) -> SQL {
        self.jobs(
            """
            lease_until < statement_timestamp()
            and lease_until >= timestamptz 'epoch' + \(since) * interval '1 microsecond'
            """, limit: limit, landingTime: landingTime, reason: .leaseExpired)
    }

    /// Puts the jobs of these workers, whose node is known to be gone, into doubt without waiting for their leases.
    /// Index jobs_leased, entered at now.
    package static func jobs(of workers: [WorkerID], limit: Int, landingTime: Duration) -> SQL {
        self.jobs(
            "worker = any(\(workers)) and lease_until >= statement_timestamp()", limit: limit, landingTime: landingTime,
            reason: .workerGone)
    }

    /// Workers whose lock was held under this start of the server, and has been free for two seconds.
    package static let goneWorkers: SQL = """
        select worker from dialtone.workers
        where free_since < clock_timestamp() - interval '2 seconds' and held_under = \(ServerClock.start)
        """

    private enum Reason: String {
        case leaseExpired = "lease_expired"
        case workerGone = "worker_gone"
    }

    /// Rescues the jobs that match. The row is locked before it is changed, so a finish that came first wins. The epoch
    /// grows, so the old worker's transitions match no longer.
    ///
    /// Until `quiet_until` an empty answer of the provider proves nothing: it is the lease's end and the landing time,
    /// counted from now when the clock has gone forward over the lease.
    ///
    /// A look that took too long is no crash. A worker that went with one in hand may have gone because of it. Only an
    /// armed job may have sent a create, so only its name is followed (`FollowedDoubt`).
    private static func jobs(_ condition: SQL, limit: Int, landingTime: Duration, reason: Reason) -> SQL {
        """
        with late as materialized (
            select id, state, epoch from dialtone.jobs
            where state in ('armed', 'looking') and \(condition)
            order by lease_until limit \(limit) for no key update skip locked),
        rescued as (
            update dialtone.jobs
            set state = 'in_doubt', in_doubt = true, epoch = jobs.epoch + 1, worker = null,
                crashes = jobs.crashes + case when late.state = 'armed' or \(reason == .workerGone) then 1 else 0 end,
                run_at = clock_timestamp(), lease_until = null,
                quiet_until = greatest(jobs.quiet_until, greatest(jobs.lease_until, clock_timestamp()) + \(landingTime))
            from late
            -- The state is compared with the one read. The index's own predicate would let the plan walk it again.
            where jobs.id = any(array(select id from late)) and jobs.id = late.id and jobs.epoch = late.epoch
              and jobs.state = late.state
            returning jobs.id, jobs.tenant_id, jobs.user_id, jobs.generation, jobs.tag, jobs.epoch,
                      late.state as from_state),
        unknown as (select * from rescued where from_state = 'armed'),
        followed as (\(FollowedDoubt.begin(from: "unknown")))
        insert into dialtone.job_log (job_id, tenant_id, user_id, generation, from_state, to_state, epoch, error_code)
        select id, tenant_id, user_id, generation, from_state, 'in_doubt', epoch, \(reason.rawValue) from rescued
        returning job_id
        """
    }
}
