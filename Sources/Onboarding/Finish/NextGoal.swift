// SPDX-License-Identifier: Apache-2.0
// Wanted against actual, after one generation of a user is done with: what the job does next, or its end.

import Model
import Postgres
import Queue

enum NextGoal {
    /// A generation that is closed is never opened again: when it is the wanted one (the provider has lost it, or a
    /// delete was done whose reason the ledger has lost), the next one opens. Behind `UserLock`, before `choose`.
    static func openNext(_ user: UserKey) -> SQL {
        """
        update dialtone.users u set generation = u.generation + 1, status = 'pending', ready_at = null
        where u.tenant_id = \(user.tenant) and u.user_id = \(user.user) and u.wanted = 'live'
          and exists (select 1 from dialtone.credentials c
                      where c.tenant_id = u.tenant_id and c.user_id = u.user_id and c.generation = u.generation
                        and c.status = 'deleted')
        """
    }

    /// A job whose credential could not be recorded looks at the ledger again, for the generation that is wanted now if
    /// its own is closed. That one's doubt and tries are its own, as in `choose`.
    static func lookAgain(_ lease: Lease) -> SQL {
        """
        with held as materialized (
            select j.id, j.generation < u.generation as is_turned, greatest(j.generation, u.generation) as generation,
                   d.maybe_created, d.quiet_until
            from dialtone.jobs j join dialtone.users u on u.tenant_id = j.tenant_id and u.user_id = j.user_id
            left join lateral (\(Self.note("u"))) d on true
            where j.id = \(lease.job) and j.epoch = \(lease.epoch) and j.worker = \(lease.worker)
              and j.state = \(lease.state)
            for no key update of j),
        again as (
            update dialtone.jobs j
            set state = case when h.is_turned and h.maybe_created is null then 'queued' else 'in_doubt' end,
                in_doubt = case when h.is_turned then coalesce(h.maybe_created, false) else j.in_doubt end,
                quiet_until = case when h.is_turned then h.quiet_until else j.quiet_until end,
                tag = case when h.is_turned then null else j.tag end,
                attempts = case when h.is_turned then 0 else j.attempts end,
                crashes = case when h.is_turned then 0 else j.crashes end,
                failures = case when h.is_turned then 0 else j.failures end,
                empties = case when h.is_turned then 0 else j.empties end,
                generation = h.generation, is_awaited = false,
                place = greatest(j.place, \(ServerClock.now)),
                worker = null, lease_until = null, run_at = clock_timestamp()
            from held h where j.id = h.id
            returning \(JobQueue.moved), \(lease.state)::text as from_state)
        \(JobQueue.log("again"))
        """
    }

    /// What an earlier job of the generation in row `of` has left behind, the newest. Index dead_jobs_user.
    private static func note(_ of: String) -> SQL {
        """
        select d.maybe_created, d.quiet_until from dialtone.dead_jobs d
        where d.tenant_id = \(unsafeText: of).tenant_id and d.user_id = \(unsafeText: of).user_id
          and d.generation = \(unsafeText: of).generation
        order by d.died_at desc limit 1
        """
    }

    /// Ends the job if wanted = actual; else gives it its next goal: an older credential to delete, now or when its
    /// time has come, or the wanted generation to make. Only behind `UserLock`, and only where the lease still matches:
    /// a job that was taken away finds its goal by itself.
    ///
    /// `goals` are all that is left to do for this user: what is due to be deleted, then the wanted generation, then
    /// what is due later; not the wanted generation of one who has failed, which waits for an operator. A generation's
    /// doubt, tries and tag are its own, so the job begins them anew, but for the doubt that an earlier job of that
    /// generation died with. `passesOver`: what is due takes turns by its generation, the job's own last, and waits
    /// that long, unless something has been wanted of the user meanwhile; failures go on being counted, so that two
    /// that fail in turn back off too.
    static func choose(_ lease: Lease, _ user: UserKey, _ trace: Trace, passesOver: Duration? = nil) -> SQL {
        let pause = passesOver ?? .zero
        return """
            with wish as (
                select wanted, generation, status from dialtone.users
                where tenant_id = \(user.tenant) and user_id = \(user.user)),
            held as materialized (
                select j.id, j.state, j.generation, j.failures,
                       case when j.is_awaited then interval '0' else \(pause) end as pause
                from dialtone.jobs j
                where j.id = \(lease.job) and j.epoch = \(lease.epoch) and j.worker = \(lease.worker)
                  and j.state = \(lease.state)
                for no key update),
            open as (
                select c.generation, c.status, c.close_after, w.wanted = 'live' and c.generation = w.generation as is_wanted
                from dialtone.credentials c, wish w
                where c.tenant_id = \(user.tenant) and c.user_id = \(user.user) and c.status <> 'deleted'),
            goals as (
                select o.generation, false as is_wanted,
                       case when w.wanted = 'live' then coalesce(o.close_after, '-infinity') else '-infinity' end as due
                from open o, wish w
                where not o.is_wanted and (o.status = 'closing' or w.wanted = 'gone'
                                           or exists (select 1 from open where is_wanted))
                union all
                select w.generation, true, '-infinity' from wish w
                where w.wanted = 'live' and w.status <> 'failed' and not exists (select 1 from open where is_wanted)),
            next as (
                select g.generation, g.due, d.maybe_created, d.quiet_until,
                       case when g.due > clock_timestamp() then 'scheduled'
                            when d.maybe_created is not null then 'in_doubt'
                            when held.pause > interval '0' then 'scheduled' else 'queued' end as state
                from held, (select \(user.tenant) as tenant_id, \(user.user) as user_id, g.* from goals g) g
                left join lateral (\(Self.note("g"))) d on true
                order by greatest(g.due, statement_timestamp()),
                         case when \(passesOver == nil) then g.is_wanted::int
                              when g.generation > held.generation then 0
                              when g.generation < held.generation then 1 else 2 end,
                         g.generation
                limit 1),
            told as (
                update dialtone.users u
                set status = case when w.wanted = 'live' then 'ready' else 'revoked' end
                from wish w
                where u.tenant_id = \(user.tenant) and u.user_id = \(user.user)
                  and case when w.wanted = 'live' then u.status <> 'ready' and exists (select 1 from open where is_wanted)
                      else u.status <> 'revoked' and not exists (select 1 from open) end),
            ended as (
                delete from dialtone.jobs j using held where j.id = held.id and not exists (select 1 from next)),
            goes_on as (
                update dialtone.jobs j
                set generation = next.generation,
                    state = next.state,
                    run_at = greatest(next.due, clock_timestamp() + held.pause),
                    place = greatest(j.place, \(ServerClock.now)),
                    worker = null, lease_until = null, quiet_until = next.quiet_until,
                    in_doubt = coalesce(next.maybe_created, false), tag = null,
                    attempts = 0, crashes = 0, empties = 0, is_awaited = false,
                    failures = case when \(passesOver != nil) then held.failures + \(Int32(pause > .zero ? 1 : 0)) else 0 end
                from held, next where j.id = held.id)
            insert into dialtone.job_log (job_id, tenant_id, user_id, generation, from_state, to_state, epoch, worker,
                                          http_status, provider_request_id)
            select held.id, \(user.tenant), \(user.user), held.generation, held.state,
                   coalesce((select state from next), 'ended'),
                   \(lease.epoch), \(lease.worker), \(trace.httpStatus.map(Int32.init)), \(trace.requestID)
            from held
            returning job_id
            """
    }
}
