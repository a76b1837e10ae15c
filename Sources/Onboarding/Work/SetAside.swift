// SPDX-License-Identifier: Apache-2.0
// Creates of a scope that is stopped are set aside, so that they are not claimed and refused over and over.

package import Postgres
package import Queue

/// Moves jobs out of the queue without a claim, and without a line in the log.
package enum SetAside {
    /// So many jobs at the front of the queue are looked at: more than one claim takes.
    private static let limit = 500

    /// Sets aside those of the next queued jobs that would create in a stopped scope. Returns a row for each.
    ///
    /// `stopped`: keys of scopes. The job waits for its scope (`waits_for`), and no time makes it due. `LetGo` queues it
    /// again. A job that is to delete something goes on, whatever is stopped.
    ///
    /// Locks the jobs first (`candidates`, index jobs_queued). Then `would_create` judges each by what is committed by
    /// then: a user who was revoked a moment ago must not wait for the scope. Index tenants_pkey: `offset 0` keeps the
    /// lateral on its key.
    package static func statement(from start: QueueStart, stopped: [String], era: Int64) -> SQL {
        """
        with \(JobQueue.candidates(limit: Self.limit, from: start, era: era)),
        aside as materialized (
            select candidate.id, case when 'tenant:' || candidate.tenant_id = any(\(stopped))
                                      then 'tenant:' || candidate.tenant_id
                                      else 'connection:' || tenant.connection_id end as scope
            from candidates candidate
            cross join lateral (
                select tenants.connection_id from dialtone.tenants
                where tenants.tenant_id = candidate.tenant_id offset 0) tenant
            where case when 'tenant:' || candidate.tenant_id = any(\(stopped))
                         or 'connection:' || tenant.connection_id = any(\(stopped))
                       then dialtone.would_create(candidate.tenant_id, candidate.user_id, candidate.generation) end)
        update dialtone.jobs set state = 'scheduled', run_at = 'infinity', waits_for = aside.scope
        from aside where jobs.id = any(array(select id from aside)) and jobs.id = aside.id and jobs.state = 'queued'
        returning jobs.id
        """
    }
}
