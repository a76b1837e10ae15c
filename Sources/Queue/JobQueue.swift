// SPDX-License-Identifier: Apache-2.0
// The job table as a queue, in the statements that every kind of job shares: enqueue, claim, move, promote, rescue.

import Foundation
package import Model
package import Postgres

/// The queue's SQL. Parts of a statement are common table expressions, so that a caller commits them with its own rows.
package enum JobQueue {
    /// The channel of the hint "there may be jobs".
    package static let channel = "dialtone_jobs"

    // MARK: Enqueue

    /// `insert into jobs` from the rows of `source` (tenant_id, user_id, generation, place, enqueued_at).
    ///
    /// The unique key on (tenant_id, user_id) makes it at most one job per user; a job that is there already will see
    /// what is wanted when it finishes, and one that waits for its time is due now; so is one in a worker's hands,
    /// should that put it back (`move`). The caller holds the `users` row lock, so a finish cannot end that job in
    /// between. Jobs are locked in their users' order. Doubt outlives a dead job (index dead_jobs_user): whoever
    /// follows it looks first. `looksFirst`: nobody knows what became of the job before. A place in the queue is never
    /// before now, whatever clock gave it.
    package static func enqueue(from source: String, looksFirst: Bool = false) -> SQL {
        """
        insert into dialtone.jobs as j (id, tenant_id, user_id, generation, place, run_at, enqueued_at, state, in_doubt,
                                        quiet_until)
        select gen_random_uuid(), s.tenant_id, s.user_id, s.generation, greatest(s.place, \(ServerClock.statementStart)), s.enqueued_at,
               s.enqueued_at,
               case when d.maybe_created is null and not \(looksFirst) then 'queued' else 'in_doubt' end,
               coalesce(d.maybe_created, false),
               d.quiet_until
        from \(unsafeText: source) s left join lateral (
            select d.maybe_created, d.quiet_until from dialtone.dead_jobs d
            where d.tenant_id = s.tenant_id and d.user_id = s.user_id and d.generation = s.generation
            order by d.died_at desc limit 1) d on true
        order by s.tenant_id, s.user_id
        on conflict (tenant_id, user_id) do update
        set run_at = least(j.run_at, excluded.run_at), is_awaited = j.state <> 'scheduled'
        where j.state in ('scheduled', 'armed', 'looking')
        """
    }

    // MARK: Claim

    /// The next queued jobs, locked: `candidates as materialized (…)`.
    ///
    /// Materialised, because a join could otherwise run the locking scan again and lock more than the limit. SKIP LOCKED:
    /// two workers never wait for each other. Index jobs_queued, entered at `start`. Nothing while the server is not the
    /// one that `started` names, by its row in `incarnation` and by itself.
    package static func candidates(limit: Int, from start: QueueStart, started: Int64) -> SQL {
        func queued(_ range: SQL, limit: SQL) -> SQL {
            """
            select id, tenant_id, user_id, generation, tag, epoch from dialtone.jobs
            where state = 'queued' and \(range) and \(Self.isServer(started))
            order by place, id limit \(limit)
            for no key update skip locked
            """
        }
        guard let newcomers = start.newcomers else {
            return "candidates as materialized (\(queued("place >= \(start.bound)", limit: "\(limit)")))"
        }
        return """
            newcomers as materialized (\(queued(newcomers, limit: "\(limit)"))),
            others as materialized (
                \(queued("place >= \(start.bound)", limit: "\(limit) - (select count(*) from newcomers)"))),
            candidates as materialized (select * from newcomers union all select * from others)
            """
    }

    /// Whether `candidates` would find something.
    package static func hasCandidates(from start: QueueStart) -> SQL {
        "select 1 from dialtone.jobs where state = 'queued' and place >= \(start.bound) order by place limit 1"
    }

    /// The next jobs in doubt that are due, locked. Index jobs_in_doubt; statement_timestamp(), because a volatile
    /// function bounds no index scan.
    package static func doubtful(limit: Int, started: Int64) -> SQL {
        """
        candidates as materialized (
            select id, tenant_id, user_id, generation, tag, epoch from dialtone.jobs
            where state = 'in_doubt' and run_at <= statement_timestamp() and \(Self.isServer(started))
            order by run_at limit \(limit)
            for no key update skip locked)
        """
    }

    /// Evaluated once per statement, before the scan.
    private static func isServer(_ started: Int64) -> SQL {
        """
        (select i.started = \(started) and i.started = \(ServerClock.start) from dialtone.incarnation i)
        """
    }

    // MARK: Promote and rescue

    /// Scheduled jobs whose time has come go back into the queue, at its present end. Index jobs_scheduled.
    /// A job that was ever in doubt is looked up first: it never becomes `queued` again.
    package static func promote(limit: Int) -> SQL {
        """
        with due as materialized (
            select id from dialtone.jobs where state = 'scheduled' and run_at <= statement_timestamp()
            order by run_at limit \(limit) for no key update skip locked),
        promoted as (
            update dialtone.jobs j
            set state = case when j.in_doubt then 'in_doubt' else 'queued' end,
                place = greatest(j.place, \(ServerClock.now))
            from due where j.id = due.id and j.state = 'scheduled'
            returning \(Self.moved), 'scheduled' as from_state)
        \(Self.log("promoted")) returning job_id
        """
    }

    /// What `log` needs of a changed row of `jobs j`, beside `from_state`.
    package static let moved: SQL = "j.id, j.tenant_id, j.user_id, j.generation, j.state as to_state, j.epoch"

    /// `insert into job_log` of a transition that no worker's call has led to, from the rows of `source`.
    package static func log(_ source: String) -> SQL {
        """
        insert into dialtone.job_log (job_id, tenant_id, user_id, generation, from_state, to_state, epoch)
        select id, tenant_id, user_id, generation, from_state, to_state, epoch from \(unsafeText: source)
        """
    }

    /// Jobs whose lease ran out go to `in_doubt`, never straight to `queued`: their worker may have sent a create.
    ///
    /// One statement that re-checks what it read: the row is locked before it is changed, so a finish that came first
    /// wins. The epoch grows, so that the old worker's transitions no longer match. quiet_until is the moment after
    /// which an empty answer of the provider counts: lease end + what one call may take + the provider's own margin;
    /// counted from now when the clock has gone forward over the lease.
    ///
    /// Index jobs_leased, entered at `since` (`serverNow` of a rescue that found all) and left at now: while an old
    /// snapshot is open, the entries of all leases that were ever given since stand before it, and every one would be
    /// looked up. The update compares the state with the one that was read, because the predicate itself would let the
    /// plan walk that whole index once more.
    package static func rescue(limit: Int, landingTime: Duration, since: Int64) -> SQL {
        self.rescue(
            """
            lease_until < statement_timestamp()
            and lease_until >= timestamptz 'epoch' + \(since) * interval '1 microsecond'
            """, limit: limit, landingTime: landingTime, reason: .leaseExpired)
    }

    /// The jobs of workers whose node is known to be gone, without waiting for their leases. Index jobs_leased, entered
    /// at now.
    package static func rescue(from workers: [WorkerID], limit: Int, landingTime: Duration) -> SQL {
        self.rescue(
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

    /// A look that took too long is nobody's crash; a worker that went with one in hand may have gone because of it.
    private static func rescue(_ condition: SQL, limit: Int, landingTime: Duration, reason: Reason) -> SQL {
        """
        with late as materialized (
            select id, state, epoch from dialtone.jobs
            where state in ('armed', 'looking') and \(condition)
            order by lease_until limit \(limit) for no key update skip locked),
        rescued as (
            update dialtone.jobs j
            set state = 'in_doubt', in_doubt = true, epoch = j.epoch + 1, worker = null,
                crashes = j.crashes + case when late.state = 'armed' or \(reason == .workerGone) then 1 else 0 end,
                run_at = clock_timestamp(), lease_until = null, empties = 0,
                quiet_until = greatest(j.quiet_until, greatest(j.lease_until, clock_timestamp())
                                                      + \(landingTime))
            from late where j.id = late.id and j.epoch = late.epoch and j.state = late.state
            returning j.id, j.tenant_id, j.user_id, j.generation, j.epoch, late.state as from_state)
        insert into dialtone.job_log (job_id, tenant_id, user_id, generation, from_state, to_state, epoch, error_code)
        select id, tenant_id, user_id, generation, from_state, 'in_doubt', epoch, \(reason.rawValue) from rescued
        returning job_id
        """
    }
}

extension JobQueue {
    /// A new epoch and lease for a job whose look-up has proven absence: the write that must be there before the
    /// create.
    package static func rearm(_ held: Lease, lease: Duration, landingTime: Duration) -> SQL {
        """
        with armed as (
            update dialtone.jobs
            set state = 'armed', epoch = epoch + 1, empties = 0, failures = 0,
                lease_until = clock_timestamp() + \(lease),
                quiet_until = clock_timestamp() + \(lease + landingTime)
            where id = \(held.job) and epoch = \(held.epoch) and worker = \(held.worker) and state = \(held.state)
            returning id, tenant_id, user_id, generation, epoch, worker),
        logged as (
            insert into dialtone.job_log (job_id, tenant_id, user_id, generation, from_state, to_state, epoch, worker)
            select id, tenant_id, user_id, generation, 'looking', 'armed', epoch, worker from armed)
        select epoch from armed
        """
    }
}
