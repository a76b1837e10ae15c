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
    /// Locks the jobs first (`candidates`, index jobs_queued). Indexes users_pkey, tenants_pkey and credentials_pkey:
    /// `offset 0` keeps each lateral on its key.
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
            cross join lateral (
                select users.wanted, users.generation from dialtone.users
                where users.tenant_id = candidate.tenant_id and users.user_id = candidate.user_id offset 0) wish
            left join lateral (
                select true as is_there from dialtone.credentials
                where credentials.tenant_id = candidate.tenant_id and credentials.user_id = candidate.user_id
                  and credentials.generation = candidate.generation offset 0) existing on true
            where wish.wanted = 'live' and wish.generation = candidate.generation and existing.is_there is null
              and ('tenant:' || candidate.tenant_id = any(\(stopped))
                   or 'connection:' || tenant.connection_id = any(\(stopped))))
        update dialtone.jobs set state = 'scheduled', run_at = 'infinity', waits_for = aside.scope
        from aside where jobs.id = any(array(select id from aside)) and jobs.id = aside.id and jobs.state = 'queued'
        returning jobs.id
        """
    }
}
