// SPDX-License-Identifier: Apache-2.0
// A claim whose answer was lost: jobs that stand in a worker's name, and that it has not in hand, go back as they came.

package import Model
package import Postgres

/// Jobs that a worker may have claimed without hearing of it.
///
/// Nothing was sent for them, so they keep their doubt and their `quiet_until`, and their place. The epoch grows. A job
/// of whose name a credential was seen meanwhile (`must_look`) looks first.
///
/// The statement may be carried out long after its sender gave it up. So the worker claims nothing more under this id
/// before it is sent. Then `held` names every job of the id that can have a run, also at that later time.
package struct PutBack: Sendable {
    package var worker: WorkerID
    /// `armed` or `looking`: in what state the worker's loop claims.
    package var state: JobState
    /// The jobs that a run of this worker has in hand, or whose result is not known to be written.
    package var held: [JobID]
    /// The era that the worker claims in. A server of another one may have lost what the worker knows.
    package var era: Int64

    package init(worker: WorkerID, state: JobState, held: [JobID], era: Int64) {
        self.worker = worker
        self.state = state
        self.held = held
        self.era = era
    }

    /// Returns the ids of the jobs that went back. A claim that commits later falls to its lease.
    ///
    /// Locks the jobs, and skips one that another transaction has locked. Index jobs_leased, entered at now: a lease
    /// that has ended is the rescue's. `= any(array(…))` keeps the update on jobs_pkey.
    package var statement: SQL {
        """
        with lost as materialized (
            select id, state, epoch from dialtone.jobs
            where state in ('armed', 'looking') and lease_until >= statement_timestamp()
              and state = \(self.state) and worker = \(self.worker) and id <> all(\(self.held))
              and \(KnownServer.isOf(era: self.era))
            for no key update skip locked),
        back as (
            update dialtone.jobs
            set state = case when jobs.in_doubt or jobs.must_look or lost.state = 'looking' then 'in_doubt'
                             else 'queued' end,
                -- Of a queued job nobody asked the time, which may be that of a node's clock.
                run_at = least(jobs.run_at, clock_timestamp()),
                epoch = jobs.epoch + 1, worker = null, lease_until = null, is_awaited = false
            from lost
            where jobs.id = any(array(select id from lost)) and jobs.id = lost.id and jobs.epoch = lost.epoch
              and jobs.state = lost.state
            returning jobs.id, jobs.tenant_id, jobs.user_id, jobs.generation, jobs.epoch, lost.state as from_state,
                      jobs.state as to_state)
        insert into dialtone.job_log (job_id, tenant_id, user_id, generation, from_state, to_state, epoch, error_code)
        select id, tenant_id, user_id, generation, from_state, to_state, epoch, 'claim_lost' from back
        returning job_id
        """
    }
}
