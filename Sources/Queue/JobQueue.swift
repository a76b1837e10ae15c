// SPDX-License-Identifier: Apache-2.0
// The job table as a queue: a job is put in, and the next ones are picked out, in the order of their places.

package import Model
package import Postgres

/// A job stands in the table once per user. It has a state, and each state that waits has an index of its own. So a
/// claim never walks past jobs that it may not take. The queue does not know what jobs do: `enqueue` and `candidates`
/// are here, `Rescue` and `DeadJob` hold what time makes due, `Transition` puts a job back, `RenewLease` arms one for
/// its create.
///
/// **Places.** A queued job has a place: a time in microseconds, by the server's clock (`FairClock`). Jobs are claimed
/// in the order of their places. A tenant's next job comes one step after its last, so an import forms a line far ahead
/// of the clock. A user who signs up meanwhile gets a place near the clock, in front of that line:
///
///     ── done, not yet vacuumed ──┃ clock ┃── newcomers ──── dead entries ──── the import's line ──▶ place
///
/// **Where a claim starts.** A finished job leaves a dead index entry until vacuum removes it. While an old snapshot is
/// open, vacuum removes none, and a scan looks each of them up. So a claim does not start at the index's beginning:
/// `QueueStart` says where, and the worker's `ClaimCursor` chooses it.
///
/// - A claim that goes on from the last one's end (`at`) reads the newcomers near the clock too, in a scan of their
///   own.
/// - A claim from the clock sees all that was enqueued since. It costs more the more dead entries there are, so its
///   extra cost is held to a fiftieth of the time.
/// - A claim from the very beginning finds a job whose commit took long. It is made every ten seconds at most.
///
/// Parts of a statement are common table expressions, so that a caller commits them with its own rows.
package enum JobQueue {
    /// The channel of the hint "there may be jobs".
    package static let channel = "dialtone_jobs"

    // MARK: Put in

    /// `insert into jobs` from the rows of `source` (tenant_id, user_id, generation, place, enqueued_at).
    ///
    /// A user has one job at most. A job that is there already sees what is wanted when it finishes. One that waits for
    /// its time is due now, and so is one in a worker's hands, should the worker put it back (`Transition`). An early
    /// look harms nothing: what it proves is decided by `quiet_until`. The caller holds the `users` row lock, so a
    /// finish cannot end that job in between.
    ///
    /// A dead job looks now, and its tries begin anew. Its doubt stays. The job log has no row for that: the event or
    /// the operator's word is its record.
    ///
    /// `looksFirst` is for a user of whose last job nothing is known. A place is never before now, whatever clock gave
    /// it.
    ///
    /// Locks jobs in their users' order. Index jobs_tenant_id_user_id_key.
    package static func enqueue(from source: String, looksFirst: Bool = false) -> SQL {
        """
        insert into dialtone.jobs (id, tenant_id, user_id, generation, place, run_at, enqueued_at, state)
        select gen_random_uuid(), source.tenant_id, source.user_id, source.generation,
               greatest(source.place, \(ServerClock.statementStart)), source.enqueued_at, source.enqueued_at,
               case when \(looksFirst) then 'in_doubt' else 'queued' end
        from \(unsafeText: source) source
        order by source.tenant_id, source.user_id
        on conflict (tenant_id, user_id) do update
        set run_at = least(jobs.run_at, excluded.run_at), waits_for = null,
            is_awaited = jobs.state in ('armed', 'looking'),
            state = case when jobs.state = 'dead' then 'in_doubt' else jobs.state end,
            attempts = case when jobs.state = 'dead' then 0 else jobs.attempts end,
            crashes = case when jobs.state = 'dead' then 0 else jobs.crashes end,
            failures = case when jobs.state = 'dead' then 0 else jobs.failures end
        where jobs.state in ('scheduled', 'in_doubt', 'armed', 'looking', 'dead')
        """
    }

    /// Lets the user's job look first at the wanted generation, because a credential of that generation may exist. It
    /// changes nothing when there is no job. The job may have come to that generation just now, and wait to create.
    ///
    /// Locks one job. Index jobs_tenant_id_user_id_key.
    package static func mustLook(_ user: UserKey) -> SQL {
        """
        update dialtone.jobs set must_look = true
        where jobs.tenant_id = \(user.tenant) and jobs.user_id = \(user.user) and not jobs.must_look
        """
    }

    // MARK: Pick out

    /// The next queued jobs, locked, as `candidates as materialized (…)`. Index jobs_queued, entered at `start`.
    ///
    /// The part is materialised: a join could otherwise run the locking scan again and lock more than the limit. With
    /// SKIP LOCKED two workers never wait for each other.
    ///
    /// Returns nothing unless `era` is the ledger's, and the server that answers is the one that it was met on.
    package static func candidates(limit: Int, from start: QueueStart, era: Int64) -> SQL {
        func queued(_ range: SQL, limit: SQL) -> SQL {
            """
            select id, tenant_id, user_id, generation, tag, epoch from dialtone.jobs
            where state = 'queued' and \(range) and \(KnownServer.isOf(era: era))
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

    /// Finds a row when `candidates` would, newcomers included. Index jobs_queued.
    package static func hasCandidates(from start: QueueStart) -> SQL {
        func queued(_ range: SQL) -> SQL {
            "(select 1 from dialtone.jobs where state = 'queued' and \(range) order by place limit 1)"
        }
        guard let newcomers = start.newcomers else { return queued("place >= \(start.bound)") }
        return "\(queued(newcomers)) union all \(queued("place >= \(start.bound)")) limit 1"
    }

    /// The next jobs in doubt that are due, locked, as `candidates as materialized (…)`. Index jobs_in_doubt.
    package static func doubtful(limit: Int, era: Int64) -> SQL {
        """
        candidates as materialized (
            select id, tenant_id, user_id, generation, tag, epoch from dialtone.jobs
            where state = 'in_doubt' and run_at <= statement_timestamp() and \(KnownServer.isOf(era: era))
            order by run_at limit \(limit)
            for no key update skip locked)
        """
    }
}
