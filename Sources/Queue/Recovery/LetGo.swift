// SPDX-License-Identifier: Apache-2.0
// Jobs that wait for a stopped scope are queued again when it is stopped no more.

package import Postgres

/// The way back of jobs that were set aside.
package enum LetGo {
    /// Queues the next jobs of each scope whose breaker is closed. Of a scope whose probe is due it queues as many as
    /// the probe may send. A job that was ever in doubt looks first. Returns a row for each.
    ///
    /// A breaker that was opened keeps its row, so the rows name all scopes that jobs can wait for. Locks the jobs and
    /// skips those that an event moves just now. Index jobs_waiting; the limit is that of the scope.
    package static func statement(limit: Int64) -> SQL {
        """
        with free as materialized (
            select scope, case when breaker = 'closed' then \(limit) else allowance end as room
            from dialtone.provider_limits
            where breaker = 'closed' or coalesce(probe_until <= statement_timestamp(), true)),
        due as materialized (
            select job.id from free cross join lateral (
                select jobs.id from dialtone.jobs
                where jobs.waits_for = free.scope and jobs.state = 'scheduled'
                order by jobs.id limit free.room for no key update skip locked) job)
        update dialtone.jobs
        set state = case when jobs.in_doubt then 'in_doubt' else 'queued' end, waits_for = null,
            run_at = clock_timestamp(), place = greatest(jobs.place, \(ServerClock.now))
        where jobs.id = any(array(select id from due)) and jobs.state = 'scheduled' and jobs.waits_for is not null
        returning jobs.id
        """
    }
}
