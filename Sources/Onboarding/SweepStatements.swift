// SPDX-License-Identifier: Apache-2.0
// The sweep's SQL: what the ledger holds of a tag, and each correction under its user's lock.

import Foundation
import Model
import Postgres
import Queue

/// What the ledger holds of one tag, and corrections.
enum SweepStatements {
    /// Tenants with their last shard; those first whom no sweep has seen for longest.
    static func tags(of tenant: TenantID?) -> SQL {
        """
        select t.tenant_id, coalesce(max(g.shard), 0)
        from dialtone.tenants t left join dialtone.tenant_tags g using (tenant_id)
        where \(tenant)::text is null or t.tenant_id = \(tenant)
        group by t.tenant_id order by t.swept_at nulls first, t.tenant_id
        """
    }

    /// Index credentials_tag. `is_settled`: long enough in the ledger for a list to show it.
    static func ledger(of tag: String, settle: Duration) -> SQL {
        """
        select tenant_id, user_id, generation, provider_id, status,
               created_at < clock_timestamp() - \(settle.milliseconds) * interval '1 millisecond',
               missing_since is not null, missing_since < clock_timestamp() - \(settle.milliseconds) * interval '1 millisecond'
        from dialtone.credentials where tag = \(tag) and status <> 'deleted'
        """
    }

    /// Of ids that the tag's own rows do not explain: those in other tags, and those that were deleted long enough ago
    /// for a list not to show them.
    static func elsewhere(_ ids: [ProviderID], settle: Duration) -> SQL {
        """
        select provider_id, tenant_id, user_id, generation,
               status = 'deleted' and deleted_at < clock_timestamp() - \(settle.milliseconds) * interval '1 millisecond',
               status = 'deleted'
        from dialtone.credentials where provider_id = any(\(ids))
        """
    }

    /// Users in order of their id, with how many generations they have had.
    static func users(of tenant: TenantID, after user: String, limit: Int) -> SQL {
        """
        select user_id, generation from dialtone.users where tenant_id = \(tenant) and user_id > \(user)
        order by user_id limit \(limit)
        """
    }

    /// What an unexplained credential is, by what is committed: an open question for the user's job (`evidence`), not
    /// wanted by anybody (`surplus`, or `second` when another id owns its generation), to be adopted (`orphan`), or of
    /// a generation whose commit was lost (`ahead`); nobody's (`stray`) when its user is gone besides.
    static func verdict(_ user: UserKey, _ generation: Generation) -> SQL {
        """
        select case
            when u.generation < \(generation) then case when u.wanted = 'live' then 'ahead' else 'stray' end
            when exists (select 1 from dialtone.credentials c where c.tenant_id = u.tenant_id and c.user_id = u.user_id
                         and c.generation = \(generation)) then 'second'
            when exists (select 1 from dialtone.jobs j where j.tenant_id = u.tenant_id and j.user_id = u.user_id
                         and j.generation = \(generation)) then 'evidence'
            when u.wanted = 'gone' or u.generation > \(generation) then 'surplus'
            else 'orphan' end
        from dialtone.users u where u.tenant_id = \(user.tenant) and u.user_id = \(user.user)
        """
    }

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
            select tenant_id, user_id, generation, (extract(epoch from clock_timestamp()) * 1000000)::bigint as vt,
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

    static func missing(_ id: ProviderID, isMissing: Bool) -> SQL {
        """
        update dialtone.credentials
        set missing_since = case when \(isMissing) then coalesce(missing_since, clock_timestamp()) end
        where provider_id = \(id) and status = 'active' and (missing_since is null) = \(isMissing)
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
            select p.tenant_id, p.user_id, p.generation, (extract(epoch from clock_timestamp()) * 1000000)::bigint as vt,
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
            returning u.tenant_id, u.user_id, u.generation, (extract(epoch from clock_timestamp()) * 1000000)::bigint as vt,
                      clock_timestamp() as enqueued_at),
        enqueued as (\(JobQueue.enqueue(from: "revived", looksFirst: true)))
        select count(*) from revived
        """
    }

    /// Behind a lock on the shard's row, so that no claim takes a slot meanwhile: what the ledger and its jobs hold, or
    /// what the provider holds, whichever is more.
    static func count(_ tenant: TenantID, _ shard: Int32, tag: String, listed: Int) -> [SQL] {
        [
            """
            insert into dialtone.tenant_tags (tenant_id, shard, tag, opened)
            select \(tenant), \(shard), \(tag), null where \(listed > 0)
            on conflict do nothing
            """,
            "select held from dialtone.tenant_tags where tenant_id = \(tenant) and shard = \(shard) for no key update",
            """
            update dialtone.tenant_tags t
            set swept_at = clock_timestamp(),
                empty_since = case when \(listed) = 0 then coalesce(t.empty_since, clock_timestamp()) end,
                held = greatest(
                    \(Int32(listed)),
                    (select count(*)::int from dialtone.credentials c where c.tag = t.tag and c.status <> 'deleted')
                    + (select count(*)::int from dialtone.jobs j
                       where j.tenant_id = t.tenant_id and j.tag = t.tag
                         and not exists (select 1 from dialtone.credentials c
                                         where c.tenant_id = j.tenant_id and c.user_id = j.user_id
                                           and c.generation = j.generation and c.status <> 'deleted')))
            where t.tenant_id = \(tenant) and t.shard = \(shard)
            """,
        ]
    }

    /// The tag a credential is listed by is the one it has.
    static func retag(_ id: ProviderID, _ tag: String, of tenant: TenantID) -> SQL {
        """
        update dialtone.credentials set tag = \(tag)
        where provider_id = \(id) and tenant_id = \(tenant) and tag <> \(tag)
        """
    }

    /// From here on no job adopts it: a look leaves it out, a record refuses it.
    static func doom(_ id: ProviderID, name: String, tag: String) -> SQL {
        """
        insert into dialtone.strays (provider_id, name, tag, doomed_at)
        values (\(id), \(name), \(tag), clock_timestamp())
        on conflict (provider_id) do update set doomed_at = clock_timestamp(), found_at = clock_timestamp()
        """
    }

    static func owner(of id: ProviderID) -> SQL {
        "select 1 from dialtone.credentials where provider_id = \(id)"
    }

    static func forgetStray(_ id: ProviderID) -> SQL {
        "delete from dialtone.strays where provider_id = \(id)"
    }

    static func remember(strays: [(id: ProviderID, name: String, tag: String)]) -> SQL {
        """
        insert into dialtone.strays (provider_id, name, tag)
        select * from unnest(\(strays.map(\.id)), \(strays.map(\.name)), \(strays.map(\.tag)))
        on conflict (provider_id) do update set found_at = clock_timestamp()
        """
    }

    /// Strays a full sweep has not met again, or that a job has adopted meanwhile.
    static func forgetStrays(sawAll: Bool) -> SQL {
        """
        delete from dialtone.strays s
        where \(sawAll) and s.found_at < (select started_at from dialtone.sweep)
           or exists (select 1 from dialtone.credentials c where c.provider_id = s.provider_id)
        """
    }
}
