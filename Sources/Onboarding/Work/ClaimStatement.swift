// SPDX-License-Identifier: Apache-2.0
// The worker takes jobs: one statement locks them and gives each a lease, a tag slot and what it needs to know.

import Model
package import Postgres
package import Queue

extension ClaimedJob {
    /// Claims queued jobs. `read` reads a row.
    package static func queued(limit: Int, from start: QueueStart, _ terms: ClaimTerms) -> SQL {
        self.claim(JobQueue.candidates(limit: limit, from: start, era: terms.era), to: .armed, terms)
    }

    /// Claims jobs in doubt that are due for a look. `read` reads a row.
    package static func doubtful(limit: Int, _ terms: ClaimTerms) -> SQL {
        self.claim(JobQueue.doubtful(limit: limit, era: terms.era), to: .looking, terms)
    }

    /// Locks jobs (`candidates`), then one tag of each tenant (`shard`), in the tenants' order. Reads users, tenants
    /// and credentials without a lock: if an event changes a user meanwhile, the finish sees it under the user's lock.
    private static func claim(_ candidates: SQL, to state: JobState, _ terms: ClaimTerms) -> SQL {
        """
        with \(candidates),
        brief as materialized (\(Self.whatEachJobIsAbout(terms))),
        need as (select tenant_id, count(*)::int as slots from brief where needs_tag group by tenant_id),
        shard as materialized (\(Self.newestShardsLocked(capacity: terms.tagCapacity))),
        taken as (\(Self.slotsTaken)),
        claimed as (\(Self.leased(state, terms))),
        logged as (\(Self.logged(state, terms)))
        select \(Self.columns)
        from claimed, dialtone.incarnation order by claimed.place, claimed.id
        """
    }

    // MARK: Its parts, in order

    /// Reads what each job is about, and numbers the jobs of a tenant that need a slot. Indexes jobs_pkey, users_pkey,
    /// tenants_pkey and credentials_pkey: `offset 0` keeps each lateral on its key.
    ///
    /// `wish` is what is wanted of the user. `existing` is the credential of the job's own generation. `is_outdated`: a
    /// later generation is to be made, and this one serves until then. `has_others`: something else is due for the
    /// user. `serves_for`: how long this one may serve on. `needs_tag`: the job may create, and has no tag yet.
    /// `is_seen`: the tenant's creates need not look first. `must_look`: this one looks all the same, because a
    /// credential of its name was seen.
    ///
    /// A job that was changed after the statement's snapshot is left for the next claim: what is read here would be
    /// older than it.
    private static func whatEachJobIsAbout(_ terms: ClaimTerms) -> SQL {
        """
        select *, count(*) filter (where needs_tag) over (partition by tenant_id order by id) as slot from (
            select candidate.id, candidate.tenant_id, candidate.user_id, wish.wanted,
                   wish.generation as wanted_generation, tenant.connection_id, tenant.credential_life,
                   case when existing.status <> 'deleted' then existing.provider_id end as recorded,
                   coalesce(tenant.seen_era = \(terms.era) or \(Self.isOlderThanEras), false) as is_seen,
                   as_read.must_look and wish.generation = candidate.generation as must_look,
                   later.is_open
                       and coalesce(existing.status = 'active' or existing.close_after > statement_timestamp(), false)
                       as is_outdated,
                   later.is_open or candidate.generation > 1 and exists (\(Self.otherCredentialDue)) as has_others,
                   existing.close_after - clock_timestamp() as serves_for,
                   candidate.tag is null and existing.provider_id is null and wish.wanted = 'live'
                       and wish.generation = candidate.generation as needs_tag
            from candidates candidate
            cross join lateral (
                select jobs.epoch, jobs.generation, jobs.must_look from dialtone.jobs where jobs.id = candidate.id offset 0) as_read
            cross join lateral (
                select users.wanted, users.generation, users.status from dialtone.users
                where users.tenant_id = candidate.tenant_id and users.user_id = candidate.user_id offset 0) wish
            cross join lateral (
                select tenants.connection_id, tenants.credential_life, tenants.seen_era from dialtone.tenants
                where tenants.tenant_id = candidate.tenant_id offset 0) tenant
            left join lateral (
                select credentials.status, credentials.provider_id, credentials.close_after from dialtone.credentials
                where credentials.tenant_id = candidate.tenant_id and credentials.user_id = candidate.user_id
                  and credentials.generation = candidate.generation offset 0) existing on true
            cross join lateral (\(Self.laterGenerationWanted)) later
            where as_read.epoch = candidate.epoch and as_read.generation = candidate.generation) brief
        """
    }

    /// Whether the tenant was made before a worker had met the first server (`Tenants.create`). It is seen until the
    /// server changes.
    private static let isOlderThanEras: SQL = """
        tenant.seen_era = 0 and not (select incarnation.has_lost from dialtone.incarnation)
        """

    /// Whether a later generation is wanted and not yet made. Index credentials_pkey.
    private static let laterGenerationWanted: SQL = """
        select wish.wanted = 'live' and wish.status <> 'failed' and wish.generation > candidate.generation
               and not exists (
                   select 1 from dialtone.credentials
                   where credentials.tenant_id = candidate.tenant_id and credentials.user_id = candidate.user_id
                     and credentials.generation = wish.generation and \(OpenCredential.condition)
                   offset 0) as is_open
        """

    /// Finds another credential of the user that is due to be deleted. Index credentials_pkey.
    private static let otherCredentialDue: SQL = """
        select 1 from (
            select credentials.generation, credentials.status, credentials.close_after from dialtone.credentials
            where credentials.tenant_id = candidate.tenant_id and credentials.user_id = candidate.user_id
            offset 0) other
        where other.generation <> candidate.generation
          and (other.status = 'closing' and coalesce(other.close_after <= statement_timestamp(), true)
               or other.status = 'active' and wish.wanted = 'gone')
        """

    /// Locks the shard that each tenant opened last, in the tenants' order, so that two nodes cannot lock crosswise.
    /// Index tenant_tags_opened, from its end.
    private static func newestShardsLocked(capacity: Int) -> SQL {
        """
        select need.tenant_id, last.shard, last.opened,
               greatest(0, least(need.slots, least(last.room, \(Int32(capacity))) - last.held)) as slots
        from (select * from need order by tenant_id) need
        cross join lateral (
            select tag.shard, tag.opened, tag.held, tag.room from dialtone.tenant_tags tag
            where tag.tenant_id = need.tenant_id and tag.opened is not null
            order by tag.opened desc limit 1 for no key update of tag) last
        """
    }

    /// Takes as many slots as the batch needs and the shard has: one update per batch, not per job. Jobs beyond that
    /// come without a tag. The worker then opens the next shard and puts them back.
    ///
    /// The tenant is compared with an array of one. A plan that was made while the table had a row or two can then only
    /// enter tenant_tags_opened by its whole key. It would walk all versions of all shards, which an old snapshot
    /// keeps.
    private static let slotsTaken: SQL = """
        update dialtone.tenant_tags tag set held = tag.held + shard.slots, changed_at = clock_timestamp() from shard
        where tag.tenant_id = any(array[shard.tenant_id]) and tag.opened = shard.opened
        returning tag.tenant_id, tag.tag, shard.slots
        """

    /// Gives each job its lease and its slot. Index jobs_pkey: `= any(array(…))` names the keys, so no plan walks the
    /// table.
    private static func leased(_ state: JobState, _ terms: ClaimTerms) -> SQL {
        """
        update dialtone.jobs
        set state = \(state), epoch = jobs.epoch + 1, worker = \(terms.worker),
            lease_until = clock_timestamp() + \(terms.lease),
            tag = coalesce(jobs.tag, case when brief.needs_tag and brief.slot <= taken.slots then taken.tag end)
        from brief left join taken on taken.tenant_id = brief.tenant_id
        where jobs.id = any(array(select id from brief)) and jobs.id = brief.id and jobs.state in ('queued', 'in_doubt')
        returning jobs.id, jobs.epoch, jobs.tenant_id, jobs.user_id, jobs.generation, jobs.tag, brief.connection_id,
                  brief.wanted, brief.wanted_generation, brief.recorded, brief.is_outdated, brief.has_others,
                  brief.serves_for, brief.is_seen, brief.must_look, jobs.in_doubt, jobs.attempts, jobs.crashes,
                  jobs.failures, jobs.quiet_until, jobs.overlap, brief.credential_life, jobs.enqueued_at, jobs.place
        """
    }

    private static func logged(_ state: JobState, _ terms: ClaimTerms) -> SQL {
        """
        insert into dialtone.job_log (job_id, tenant_id, user_id, generation, from_state, to_state, epoch, worker)
        select id, tenant_id, user_id, generation, case when \(state) = 'armed' then 'queued' else 'in_doubt' end,
               \(state), epoch, \(terms.worker)
        from claimed
        """
    }
}
