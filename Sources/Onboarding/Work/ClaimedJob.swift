// SPDX-License-Identifier: Apache-2.0
// The worker takes jobs: locks them, gives each a lease, a tag slot and what it needs to know, in one statement.

import Foundation
package import Lifecycle
package import Model
package import Postgres
package import Queue

/// A job in the hands of this worker.
package struct ClaimedJob: Sendable {
    package var lease: Lease
    package let user: UserKey
    package let connectionID: String
    /// The shard this user's credential goes to; nil when none had room, or none is needed.
    package var tag: String?
    package var life: JobLife

    /// How long the old credential may serve on, when this is a rotation.
    package var overlap: Duration?

    var needsTag: Bool {
        self.tag == nil && self.life.recorded == nil && self.life.isWanted && self.life.phase == .armed
    }
}

/// What every claim of one worker has in common.
package struct ClaimTerms: Sendable {
    package var worker: WorkerID
    /// The server this worker knows, by its start; it claims from no other.
    package var started: Int64
    package var lease: Duration
    package var landingTime: Duration
    package var tagCapacity: Int

    package init(worker: WorkerID, started: Int64, lease: Duration, landingTime: Duration, tagCapacity: Int) {
        self.worker = worker
        self.started = started
        self.lease = lease
        self.landingTime = landingTime
        self.tagCapacity = tagCapacity
    }
}

extension ClaimedJob {
    /// Claims queued jobs.
    package static func queued(limit: Int, from start: QueueStart, _ terms: ClaimTerms) -> SQL {
        self.claim(JobQueue.candidates(limit: limit, from: start, started: terms.started), to: .armed, terms)
    }

    /// Claims jobs in doubt that are due for a look.
    package static func doubtful(limit: Int, _ terms: ClaimTerms) -> SQL {
        self.claim(JobQueue.doubtful(limit: limit, started: terms.started), to: .looking, terms)
    }

    /// The claim. `brief` reads, without locks, what the job is about: if an event changes the user meanwhile, the
    /// finish sees it under the user's lock. A row that was changed after this statement's snapshot is left for the
    /// next claim (its epoch or generation differs), because what `brief` reads would be older than the row. `shard`
    /// locks the shard opened last of each tenant (the end of index tenant_tags_opened), in the tenants' order so that
    /// two nodes cannot lock crosswise, and takes as many slots as the batch needs and the shard has: one counter
    /// update per batch, not per job. Jobs beyond that come without a tag; the worker then opens the next shard and
    /// puts them back. `taken` compares the tenant with an array of one: a plan made while the table had a row or two
    /// can then only enter the same index by its whole key, and not walk all versions of all shards, which an old
    /// snapshot keeps. A tenant that no sweep has seen yet, on a ledger that was once another server's, may have been
    /// forgotten by a backup and made again: its creates look first.
    private static func claim(_ candidates: SQL, to state: JobState, _ terms: ClaimTerms) -> SQL {
        """
        with \(candidates),
        brief as materialized (
            select *, count(*) filter (where needs_tag) over (partition by tenant_id order by id) as slot from (
            select c.id, c.tenant_id, c.user_id, c.tag, u.wanted, u.generation as wanted_generation, t.connection_id,
                   case when cr.status <> 'deleted' then cr.provider_id end as recorded,
                   t.swept_under is not distinct from \(terms.started) as is_seen, t.swept_at is null as is_never_swept,
                   later.is_open and coalesce(cr.status = 'active' or cr.close_after > statement_timestamp(), false)
                       as is_behind,
                   later.is_open or c.generation > 1 and exists (
                       select 1 from dialtone.credentials o
                       where o.tenant_id = c.tenant_id and o.user_id = c.user_id and o.generation <> c.generation
                         and (o.status = 'closing' and coalesce(o.close_after <= statement_timestamp(), true)
                              or o.status = 'active' and u.wanted = 'gone')) as has_others,
                   cr.close_after - clock_timestamp() as serves_for,
                   c.tag is null and cr.provider_id is null and u.wanted = 'live' and u.generation = c.generation as needs_tag
            from candidates c
            join dialtone.jobs s on s.id = c.id and s.epoch = c.epoch and s.generation = c.generation
            join dialtone.users u on u.tenant_id = c.tenant_id and u.user_id = c.user_id
            join dialtone.tenants t on t.tenant_id = c.tenant_id
            left join dialtone.credentials cr
                on cr.tenant_id = c.tenant_id and cr.user_id = c.user_id and cr.generation = c.generation
            cross join lateral (
                select u.wanted = 'live' and u.status <> 'failed' and u.generation > c.generation
                       and not exists (select 1 from dialtone.credentials w
                                       where w.tenant_id = u.tenant_id and w.user_id = u.user_id
                                         and w.generation = u.generation and w.status <> 'deleted') as is_open) later) c),
        need as (select tenant_id, count(*)::int as slots from brief where needs_tag group by tenant_id),
        shard as materialized (
            select n.tenant_id, s.shard, s.opened,
                   greatest(0, least(n.slots, least(s.room, \(Int32(terms.tagCapacity))) - s.held)) as slots
            from (select * from need order by tenant_id) n
            cross join lateral (
                select s.shard, s.opened, s.held, s.room from dialtone.tenant_tags s
                where s.tenant_id = n.tenant_id and s.opened is not null
                order by s.opened desc limit 1 for no key update of s) s),
        taken as (
            update dialtone.tenant_tags s set held = s.held + shard.slots from shard
            where s.tenant_id = any(array[shard.tenant_id]) and s.opened = shard.opened
            returning s.tenant_id, s.tag, shard.slots),
        claimed as (
            update dialtone.jobs j
            set state = \(state), epoch = j.epoch + 1, worker = \(terms.worker),
                lease_until = clock_timestamp() + \(terms.lease),
                tag = coalesce(j.tag, case when b.needs_tag and b.slot <= taken.slots then taken.tag end)
            from brief b left join taken on taken.tenant_id = b.tenant_id
            where j.id = b.id and j.state in ('queued', 'in_doubt')
            returning j.id, j.epoch, j.tenant_id, j.user_id, j.generation, j.tag, b.connection_id, b.wanted,
                      b.wanted_generation, b.recorded, b.is_behind, b.has_others, b.serves_for, b.is_seen,
                      b.is_never_swept, j.in_doubt, j.attempts, j.crashes, j.failures, j.empties, j.quiet_until, j.overlap, j.place),
        logged as (
            insert into dialtone.job_log (job_id, tenant_id, user_id, generation, from_state, to_state, epoch, worker)
            select id, tenant_id, user_id, generation, case when \(state) = 'armed' then 'queued' else 'in_doubt' end,
                   \(state), epoch, \(terms.worker)
            from claimed)
        select id, epoch, tenant_id, user_id, generation, tag, connection_id, wanted, wanted_generation, recorded,
               is_behind, has_others, serves_for, in_doubt, attempts, crashes, failures, empties,
               greatest(claimed.quiet_until, case when i.looks_twice and not is_seen then i.quiet_until end)
                   - clock_timestamp(),
               overlap,
               not is_seen and (i.looks_first or is_never_swept and i.change <> 'first')
               or exists (select 1 from dialtone.strays s where split_part(s.tag, '.', 1) = claimed.tenant_id),
               i.looks_twice and not is_seen, i.is_stopped, place
        from claimed, dialtone.incarnation i order by place, id
        """
    }

    /// Reads one row of a claim, and its place in the queue.
    static func read(_ row: PostgresRow, state: JobState, worker: WorkerID) throws -> (job: ClaimedJob, place: Int64) {
        var columns = row.columns
        let lease = Lease(job: try columns.next(), epoch: try columns.next(), worker: worker, state: state)
        let user = UserKey(tenant: try columns.next(), user: try columns.next())
        let generation: Generation = try columns.next()
        let tag: String? = try columns.next()
        let connectionID: String = try columns.next()
        var life = JobLife(
            generation: generation, phase: state == .armed ? .armed : .looking, wanted: try columns.next(),
            wantedGeneration: try columns.next(), recorded: try columns.next(),
            isOutdatedButServing: try columns.next(),
            hasOtherGoals: try columns.next(),
            mayServeFor: try columns.next(),
            isDoubtful: try columns.next(), attempts: Int(try columns.next(Int32.self)),
            crashes: Int(try columns.next(Int32.self)),
            failures: Int(try columns.next(Int32.self)), empties: Int(try columns.next(Int32.self)),
            quietIn: try columns.next())
        let overlap: Duration? = try columns.next()
        life.trust = LedgerTrust(
            looksFirst: try columns.next(), looksTwice: try columns.next(), isStopped: try columns.next())
        let place: Int64 = try columns.next()
        return (
            ClaimedJob(
                lease: lease, user: user, connectionID: connectionID, tag: tag, life: life, overlap: overlap), place
        )
    }
}
