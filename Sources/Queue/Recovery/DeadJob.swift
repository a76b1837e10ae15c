// SPDX-License-Identifier: Apache-2.0
// A job that was given up stays where it is: when it is tried again, and how it comes back.

package import Model
package import Postgres

/// A dead job is a job of the user's wanted generation that waits long and always looks first. Its user is `failed`.
///
/// It keeps its doubt, its quiet time and, while it is in doubt, its slot. What its user asks for next makes it due at
/// once (`JobQueue.enqueue`).
package enum DeadJob {
    /// How long a job that is given up now waits: an hour, or a day when the provider has rejected it. Each earlier
    /// death doubles that, up to 32 times. `deaths` is how often it was given up before.
    package static func pause(after reason: SQL, deaths: SQL) -> SQL {
        """
        power(2, least(\(deaths), 5))
        * case when \(reason) = 'rejected' then interval '1 day' else interval '1 hour' end
        """
    }

    /// Tries dead jobs again whose time has come. Returns a row for each. Index jobs_dead, up to now.
    ///
    /// Locks users and then jobs in their users' order, and skips users whom another transaction has locked. Whoever
    /// changes a user makes its dead job due by itself. Indexes users_pkey and jobs_pkey.
    package static func tryAgain(limit: Int) -> SQL {
        """
        with due as materialized (
            select id, tenant_id, user_id from dialtone.jobs where state = 'dead' and run_at <= statement_timestamp()
            order by run_at limit \(limit)),
        held as materialized (
            select due.id, due.tenant_id, due.user_id from due cross join lateral (
                select users.user_id from dialtone.users
                where users.tenant_id = due.tenant_id and users.user_id = due.user_id
                for no key update skip locked) owner),
        dead as materialized (
            select job.id
            from (select * from held order by tenant_id, user_id offset 0) held cross join lateral (
                select jobs.id from dialtone.jobs where jobs.id = held.id for no key update) job),
        revived as (
            update dialtone.jobs set \(Self.looksAgain)
            from dead
            where jobs.id = any(array(select id from dead)) and jobs.id = dead.id and \(Self.condition)
              and jobs.run_at <= statement_timestamp()
            returning \(JobLog.changedJob), 'dead' as from_state),
        told as (\(Self.usersWait(from: "revived")))
        \(JobLog.write(from: "revived")) returning job_id
        """
    }

    /// Lets the user's dead job look now, because a credential of its generation exists or may exist. The caller holds
    /// the user's lock. Index jobs_tenant_id_user_id_key.
    package static func lookNow(_ user: UserKey) -> SQL {
        """
        with revived as (
            update dialtone.jobs set \(Self.looksAgain)
            where jobs.tenant_id = \(user.tenant) and jobs.user_id = \(user.user) and \(Self.condition)
            returning \(JobLog.changedJob), 'dead' as from_state),
        told as (\(Self.usersWait(from: "revived")))
        \(JobLog.write(from: "revived"))
        """
    }

    /// True for a dead row of `dialtone.jobs` that is entered by another key. `state = 'dead'` is also the predicate of
    /// the partial indexes of dead jobs. While the table is nearly empty, the planner would rather walk one of them. It
    /// does not recognise this form.
    package static let condition: SQL = "(jobs.state <> 'dead') is not true"

    /// Its tries begin anew. Its doubt stays.
    private static let looksAgain: SQL = """
        state = 'in_doubt', run_at = clock_timestamp(), place = greatest(jobs.place, \(ServerClock.now)),
        attempts = 0, crashes = 0, failures = 0
        """

    /// The users of these jobs, who are locked, have not failed any more. Index users_pkey. The rows exist, so the
    /// upsert only updates.
    private static func usersWait(from jobs: String) -> SQL {
        """
        insert into dialtone.users (tenant_id, user_id, wanted, status, received_at)
        select tenant_id, user_id, 'live', 'pending', now() from \(unsafeText: jobs)
        on conflict (tenant_id, user_id) do update
        set status = case when users.wanted = 'live' then 'pending' else 'revoking' end
        where users.status = 'failed'
        """
    }
}
