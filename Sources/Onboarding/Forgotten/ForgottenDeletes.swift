// SPDX-License-Identifier: Apache-2.0
// Credentials to delete that no job would delete: a walk over all of them finds a job for each, a page at a time.

import Postgres
import Queue

/// A result that comes after its job has ended can leave a credential in `closing` behind, which no job would delete.
/// The job of a user who has failed is dead, and an older credential's time may come meanwhile.
enum ForgottenDeletes {
    /// Where the walk stands; the first place is before all users.
    struct Place: Sendable {
        var tenant = ""
        var user = ""
    }

    /// Queues a job for each user of the next page who has a credential to delete and no job. A dead job turns to that
    /// credential. It must look when it comes back to the wanted generation, and it is dead again then.
    ///
    /// A million credentials may wait that have their jobs, so one statement reads one page. Returns one row: the
    /// number of rows on the page, and the tenant and the user of its last one; no row when the page is empty. A job
    /// too many ends by itself.
    static func enqueue(after place: Place) -> SQL {
        """
        with page as materialized (
            -- Index credentials_closing, entered at the place where the last page has ended.
            select credential.tenant_id, credential.user_id, credential.generation, credential.close_after
            from dialtone.credentials credential
            where credential.status = 'closing'
              and (credential.tenant_id, credential.user_id) > (\(place.tenant), \(place.user))
            order by credential.tenant_id, credential.user_id limit \(Self.pageSize)),
        due as materialized (
            -- One row per user: the oldest generation that is due.
            select distinct on (page.tenant_id, page.user_id) page.tenant_id, page.user_id, page.generation
            from page
            where page.close_after is null or page.close_after <= statement_timestamp()
            order by page.tenant_id, page.user_id, page.generation),
        waiting as materialized (
            -- The unique key (tenant_id, user_id) finds the job; `offset 0` keeps the plan on it.
            select due.* from due
            where not exists (select 1 from dialtone.jobs job
                              where job.tenant_id = due.tenant_id and job.user_id = due.user_id offset 0)),
        forgotten as materialized (\(ForgottenUsers.held("waiting"))),
        dead as materialized (\(Self.deadJobs)),
        turned as (\(Self.turned)),
        logged as (\(JobLog.write(from: "turned"))),
        enqueued as (\(JobQueue.enqueue(from: "forgotten")))
        select count(*) over (), tenant_id, user_id from page order by tenant_id desc, user_id desc limit 1
        """
    }

    /// Locks the dead jobs of these users, and skips those that another transaction has locked. Index
    /// jobs_tenant_id_user_id_key.
    private static let deadJobs: SQL = """
        select job.id, due.generation from due cross join lateral (
            select jobs.id from dialtone.jobs
            where jobs.tenant_id = due.tenant_id and jobs.user_id = due.user_id and jobs.generation <> due.generation
              and \(DeadJob.condition)
            for no key update skip locked) job
        """

    /// A job in doubt looks before anything else, whatever it is about. Index jobs_pkey.
    private static let turned: SQL = """
        update dialtone.jobs
        set generation = dead.generation, state = case when jobs.in_doubt then 'in_doubt' else 'queued' end,
            must_look = true, tag = null, run_at = clock_timestamp(), place = greatest(jobs.place, \(ServerClock.now)),
            attempts = 0, crashes = 0, failures = 0
        from dead where jobs.id = any(array(select id from dead)) and jobs.id = dead.id and \(DeadJob.condition)
        returning \(JobLog.changedJob), 'dead' as from_state
        """

    /// Returns where the next page begins: after this one, or before all users when this page was the last.
    static func nextPlace(after rows: PostgresRows) throws -> Place {
        guard let (count, tenant, user) = try rows.first?.decode(Int64.self, String.self, String.self),
            count >= Self.pageSize
        else { return Place() }
        return Place(tenant: tenant, user: user)
    }

    private static let pageSize = 1000
}
