// SPDX-License-Identifier: Apache-2.0
// What the sweep repairs in the ledger: jobs that are missing, and rows that differ from what the provider has.

import Model
import Postgres
import Queue

/// The sweep's corrections. None of them creates or deletes at the provider; the user's job does that afterwards.
enum SweepCorrections {
    /// Makes the user's job of this generation look before anything else, because a credential under its name exists.
    /// A job that a worker holds is left alone. Unique key of jobs (tenant_id, user_id).
    static func makeLook(_ user: UserKey, _ generation: Generation) -> SQL {
        """
        with before as materialized (
            select id, state from dialtone.jobs
            where tenant_id = \(user.tenant) and user_id = \(user.user) and generation = \(generation)
              and state in ('queued', 'scheduled', 'in_doubt') for no key update),
        looking as (
            update dialtone.jobs set state = 'in_doubt', run_at = clock_timestamp()
            from before where jobs.id = before.id
            returning \(JobLog.changedJob), before.state as from_state)
        \(JobLog.write(from: "looking"))
        """
    }

    /// Queues a job that looks first for a user who has none.
    ///
    /// When the user has a job of another generation, a note for the wanted generation is left in `dead_jobs`. It makes
    /// the job that comes to that generation look first too (`JobQueue.enqueue`, `NextGoal.choose`).
    static func adopt(_ user: UserKey) -> SQL {
        """
        with orphan as (
            select tenant_id, user_id, generation, \(ServerClock.now) as place,
                   clock_timestamp() as enqueued_at
            from dialtone.users where tenant_id = \(user.tenant) and user_id = \(user.user)),
        noted as (
            insert into dialtone.dead_jobs (id, tenant_id, user_id, generation, reason, maybe_created, epoch, attempts)
            select gen_random_uuid(), o.tenant_id, o.user_id, o.generation, 'seen_by_sweep', false, 0, 0 from orphan o
            where exists (select 1 from dialtone.jobs j where j.tenant_id = o.tenant_id and j.user_id = o.user_id
                          and j.generation <> o.generation)
              and not exists (select 1 from dialtone.dead_jobs d where d.tenant_id = o.tenant_id and d.user_id = o.user_id
                              and d.generation = o.generation))
        \(JobQueue.enqueue(from: "orphan", looksFirst: true))
        """
    }

    /// Opens a generation again that the ledger has forgotten, in one transaction behind the user's lock.
    static func catchUp(_ user: UserKey, _ generation: Generation) -> [SQL] {
        [
            UserLock.take(user),
            """
            update dialtone.users set generation = \(generation)
            where tenant_id = \(user.tenant) and user_id = \(user.user) and wanted = 'live'
              and generation < \(generation)
            """,
            Self.adopt(user),
            Self.retarget(user),
        ]
    }

    /// Turns a job of an older generation to the wanted one, which it makes after a look. A delete that the job was to
    /// do stays due at its time.
    ///
    /// A job that a worker holds or that was ever in doubt is left alone. Locks the job, behind the user's lock.
    private static func retarget(_ user: UserKey) -> SQL {
        """
        with before as materialized (
            select job.id, job.state, owner.generation as wanted
            from dialtone.users owner
            join dialtone.jobs job on job.tenant_id = owner.tenant_id and job.user_id = owner.user_id
            where owner.tenant_id = \(user.tenant) and owner.user_id = \(user.user) and owner.wanted = 'live'
              and job.generation < owner.generation and job.state in ('queued', 'scheduled', 'in_doubt')
              and not job.in_doubt
            for no key update of job),
        turned as (
            update dialtone.jobs
            set generation = before.wanted, state = 'in_doubt', tag = null, run_at = clock_timestamp(),
                quiet_until = null, attempts = 0, crashes = 0, failures = 0, empties = 0
            from before where jobs.id = before.id
            returning \(JobLog.changedJob), before.state as from_state)
        \(JobLog.write(from: "turned"))
        """
    }

    /// Has a delete done once more that the provider confirmed and did not do, or that came before a create landed.
    /// The caller holds the user's lock.
    static func reopen(_ id: ProviderID) -> SQL {
        """
        update dialtone.credentials set status = 'closing', deleted_at = null, close_after = null
        where provider_id = \(id) and status = 'deleted'
        """
    }

    /// Closes a credential that was to be deleted and that, as an operator says, is not there. The user's job goes on.
    static func close(_ user: UserKey, _ id: ProviderID) -> [SQL] {
        [
            UserLock.take(user),
            """
            update dialtone.credentials set status = 'deleted', deleted_at = clock_timestamp(), close_after = null
            where provider_id = \(id) and status = 'closing'
            """,
            NextGoal.openNext(user),
            Self.adopt(user),
            """
            update dialtone.jobs set run_at = clock_timestamp()
            where tenant_id = \(user.tenant) and user_id = \(user.user) and state = 'scheduled'
            """,
        ]
    }

    /// Closes the generation of a credential that is gone at the provider and opens the next one, in one transaction
    /// behind the user's lock.
    static func reprovision(_ user: UserKey, _ id: ProviderID) -> [SQL] {
        [
            UserLock.take(user),
            """
            update dialtone.credentials set status = 'deleted', deleted_at = clock_timestamp()
            where provider_id = \(id) and status = 'active'
            """,
            NextGoal.openNext(user),
            Self.adopt(user),
            Self.retarget(user),
        ]
    }

    /// Queues a job that looks first for each user of a page who has no job and is not in the wanted state.
    ///
    /// Returns one row: how many jobs were queued, and the last user of the page; null when the page is empty.
    static func enqueueForgotten(of tenant: TenantID, after user: String, limit: Int) -> SQL {
        """
        with page as materialized (
            -- Primary key of users, entered after the last page.
            select owner.tenant_id, owner.user_id, owner.wanted, owner.generation, owner.status
            from dialtone.users owner
            where owner.tenant_id = \(tenant) and owner.user_id > \(user)
            order by owner.user_id limit \(limit)),
        forgotten as (
            select page.tenant_id, page.user_id, page.generation, \(ServerClock.now) as place,
                   clock_timestamp() as enqueued_at
            from page
            where not exists (select 1 from dialtone.jobs job
                              where job.tenant_id = page.tenant_id and job.user_id = page.user_id)
              and case when page.wanted = 'live'
                  then page.status <> 'failed'
                       and not exists (select 1 from dialtone.credentials
                                       where credentials.tenant_id = page.tenant_id
                                         and credentials.user_id = page.user_id
                                         and credentials.generation = page.generation
                                         and \(OpenCredential.condition) offset 0)
                  else page.status <> 'revoked'
                       or exists (select 1 from dialtone.credentials
                                  where credentials.tenant_id = page.tenant_id
                                    and credentials.user_id = page.user_id
                                    and \(OpenCredential.condition) offset 0) end),
        enqueued as (\(JobQueue.enqueue(from: "forgotten", looksFirst: true)) returning jobs.id)
        select (select count(*) from enqueued), (select max(user_id) from page)
        """
    }

    /// Tries users who failed again, with a look first: after an hour, then two, up to a day and a half. A user whom
    /// the provider has rejected is tried after a day, then two, up to a month.
    ///
    /// When a tenant's settings are at fault, its first users are rejected one by one before that is known. An operator
    /// then repairs the settings.
    static func reviveFailed(of tenant: TenantID, after user: String, limit: Int) -> SQL {
        """
        with page as materialized (
            select u.tenant_id, u.user_id, u.generation, u.status from dialtone.users u
            where u.tenant_id = \(tenant) and u.user_id > \(user) order by u.user_id limit \(limit)),
        due as materialized (
            select u.tenant_id, u.user_id from page p cross join lateral (
                select count(*) as deaths, max(d.died_at) as died_at,
                       (array_agg(d.reason order by d.died_at desc))[1] as reason
                from dialtone.dead_jobs d
                where d.tenant_id = p.tenant_id and d.user_id = p.user_id and d.generation = p.generation) d
            join dialtone.users u on u.tenant_id = p.tenant_id and u.user_id = p.user_id
            where p.status = 'failed'
              and d.died_at < statement_timestamp()
                  - power(2, least(d.deaths - 1, 5)) * case d.reason when 'rejected' then interval '1 day'
                    when 'too_many_attempts' then interval '1 hour' when 'crashed_too_often' then interval '1 hour' end
            order by p.tenant_id, p.user_id for no key update of u),
        revived as (
            update dialtone.users u set status = 'pending' from due
            where u.tenant_id = due.tenant_id and u.user_id = due.user_id and u.status = 'failed' and u.wanted = 'live'
            returning u.tenant_id, u.user_id, u.generation, \(ServerClock.now) as place,
                      clock_timestamp() as enqueued_at),
        enqueued as (\(JobQueue.enqueue(from: "revived", looksFirst: true)))
        select count(*) from revived
        """
    }
}
