// SPDX-License-Identifier: Apache-2.0
// What the sweep puts right in the ledger: each correction under its user's lock, and none that a job would not do alone.

import Model
import Postgres
import Queue

/// Jobs for what has none, and rows that say what the provider has.
enum SweepCorrections {
    /// A job that does not run now looks before anything else: something under its name exists.
    static func makeLook(_ user: UserKey, _ generation: Generation) -> SQL {
        """
        with before as materialized (
            select id, state from dialtone.jobs
            where tenant_id = \(user.tenant) and user_id = \(user.user) and generation = \(generation)
              and state in ('queued', 'scheduled', 'in_doubt') for no key update),
        looking as (
            update dialtone.jobs j set state = 'in_doubt', run_at = clock_timestamp() from before b where j.id = b.id
            returning \(JobQueue.moved), b.state as from_state)
        \(JobQueue.log("looking"))
        """
    }

    /// A job for a user who has none; it looks first. When there is one, of another generation, a note of the wanted
    /// one makes whoever comes to it look first too (`JobQueue.enqueue`, `NextGoal.choose`).
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

    /// Opens the generation again that the ledger has forgotten, behind the user's lock.
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

    /// A job of an older generation that is neither under way nor in doubt makes the wanted one first, looking before
    /// it does; what it was to delete stays due when it was.
    private static func retarget(_ user: UserKey) -> SQL {
        """
        with before as materialized (
            select j.id, j.state, u.generation as wanted
            from dialtone.users u join dialtone.jobs j on j.tenant_id = u.tenant_id and j.user_id = u.user_id
            where u.tenant_id = \(user.tenant) and u.user_id = \(user.user) and u.wanted = 'live'
              and j.generation < u.generation and j.state in ('queued', 'scheduled', 'in_doubt') and not j.in_doubt
            for no key update of j),
        turned as (
            update dialtone.jobs j
            set generation = b.wanted, state = 'in_doubt', tag = null, run_at = clock_timestamp(), quiet_until = null,
                attempts = 0, crashes = 0, failures = 0, empties = 0
            from before b where j.id = b.id
            returning \(JobQueue.moved), b.state as from_state)
        \(JobQueue.log("turned"))
        """
    }

    /// A delete that the provider answered and did not do, or that came before a create landed: once more.
    static func reopen(_ id: ProviderID) -> SQL {
        """
        update dialtone.credentials set status = 'closing', deleted_at = null, close_after = null
        where provider_id = \(id) and status = 'deleted'
        """
    }

    /// What was to be deleted is not there, by an operator's word; its user's job goes on.
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

    /// The credential is no more: its generation closes and the next one opens, in one transaction behind the user's
    /// lock.
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

    /// Users whose wanted is not their actual state and who have no job; a page of users at a time. Answers how many
    /// there were and where the page ends.
    static func enqueueForgotten(of tenant: TenantID, after user: String, limit: Int) -> SQL {
        """
        with page as materialized (
            select u.tenant_id, u.user_id, u.wanted, u.generation, u.status from dialtone.users u
            where u.tenant_id = \(tenant) and u.user_id > \(user) order by u.user_id limit \(limit)),
        forgotten as (
            select p.tenant_id, p.user_id, p.generation, \(ServerClock.now) as place,
                   clock_timestamp() as enqueued_at
            from page p
            where not exists (select 1 from dialtone.jobs j where j.tenant_id = p.tenant_id and j.user_id = p.user_id)
              and case when p.wanted = 'live'
                  then p.status <> 'failed'
                       and not exists (select 1 from dialtone.credentials c
                                       where c.tenant_id = p.tenant_id and c.user_id = p.user_id
                                         and c.generation = p.generation and c.status <> 'deleted')
                  else p.status <> 'revoked'
                       or exists (select 1 from dialtone.credentials c
                                  where c.tenant_id = p.tenant_id and c.user_id = p.user_id and c.status <> 'deleted') end),
        enqueued as (\(JobQueue.enqueue(from: "forgotten", looksFirst: true)) returning j.id)
        select (select count(*) from enqueued), (select max(user_id) from page)
        """
    }

    /// Users who failed are tried again, looking first: after an hour, then two, up to a day and a half; those whom the
    /// provider has rejected after a day, then two, up to a month. The first users of a tenant whose settings are at
    /// fault are rejected one by one before that is known, and an operator repairs the settings.
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
