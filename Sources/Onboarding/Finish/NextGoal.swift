// SPDX-License-Identifier: Apache-2.0
// Wanted against actual, after one generation of a user is done with: what the job does next, or its end.

import Foundation
import Model
import Postgres
import Queue

/// A user's goals are all that is left to do for it: older credentials to delete, and the wanted generation to make. A
/// job works on one generation at a time. When that is done with, the job takes the next goal, or ends when there is
/// none.
///
/// All statements here stand behind `UserLock`, and change the job only where its lease still matches. A job that was
/// taken away finds its goal by itself.
enum NextGoal {
    /// Ends the job if wanted = actual; else gives it its next goal.
    ///
    /// `passesOver`: the job's own generation waits that long, and the others take turns before it. It does not wait
    /// when the user was changed meanwhile. Failures go on being counted then, so that two goals that fail in turn back
    /// off too.
    ///
    /// Returns the job, and whether its user is revoked now.
    ///
    /// Indexes users_pkey, jobs_pkey, credentials_pkey, each entered by key.
    static func choose(_ lease: Lease, _ user: UserKey, _ trace: Trace, passesOver: Duration? = nil) -> SQL {
        """
        with wish as (\(Self.whatIsWanted(user))),
        held as materialized (\(Self.jobHeld(lease, pause: passesOver ?? .zero))),
        open as (\(Self.openCredentials(user))),
        duty as (\(Self.lookThatIsLeft)),
        goals as (\(Self.allGoals)),
        next as (\(Self.firstGoal(isTurn: passesOver != nil))),
        told as (\(Self.userTold(user))),
        ended as (
            delete from dialtone.jobs using held
            where jobs.id = held.id and \(lease.holdsJob) and not exists (select 1 from next)),
        goes_on as (\(Self.jobGoesOn(lease, isTurn: passesOver != nil)))
        \(Self.logged(lease, user, trace))
        returning job_id, exists (select 1 from told where status = 'revoked')
        """
    }

    /// Opens the next generation when the wanted one is closed: a closed generation is never opened again. It was
    /// closed because the provider has lost it, or because a delete was done whose reason the ledger has lost.
    static func openNext(_ user: UserKey) -> SQL {
        """
        update dialtone.users set generation = users.generation + 1, status = 'pending', ready_at = null
        where users.tenant_id = \(user.tenant) and users.user_id = \(user.user) and users.wanted = 'live'
          and exists (select 1 from dialtone.credentials
                      where credentials.tenant_id = users.tenant_id and credentials.user_id = users.user_id
                        and credentials.generation = users.generation and credentials.status = 'deleted' offset 0)
        """
    }

    /// Lets a job whose credential could not be recorded look at the ledger again. It turns to the wanted generation if
    /// its own is closed. The doubt and tries of that generation are its own, as in `choose`.
    static func lookAgain(_ lease: Lease, _ user: UserKey) -> SQL {
        """
        with held as materialized (\(Self.jobAndWantedGeneration(lease, user))),
        again as (
            update dialtone.jobs
            set state = case when held.is_turned and not jobs.must_look then 'queued' else 'in_doubt' end,
                in_doubt = jobs.in_doubt and (jobs.must_look or not held.is_turned),
                quiet_until = case when jobs.must_look or not held.is_turned then jobs.quiet_until end,
                must_look = jobs.must_look and not held.is_turned,
                tag = case when held.is_turned then null else jobs.tag end,
                attempts = case when held.is_turned then 0 else jobs.attempts end,
                crashes = case when held.is_turned then 0 else jobs.crashes end,
                failures = case when held.is_turned then 0 else jobs.failures end,
                deaths = case when held.is_turned then null else jobs.deaths end,
                reason = case when held.is_turned then null else jobs.reason end,
                words = case when held.is_turned then null else jobs.words end,
                provider_code = case when held.is_turned then null else jobs.provider_code end,
                generation = held.generation, is_awaited = false,
                place = greatest(jobs.place, \(ServerClock.now)),
                worker = null, lease_until = null, run_at = clock_timestamp()
            from held where jobs.id = held.id and \(lease.holdsJob)
            returning \(JobLog.changedJob), \(lease.state)::text as from_state)
        \(JobLog.write(from: "again"))
        """
    }

    private static func jobAndWantedGeneration(_ lease: Lease, _ user: UserKey) -> SQL {
        """
        select jobs.id, jobs.generation < users.generation as is_turned,
               greatest(jobs.generation, users.generation) as generation
        from dialtone.jobs join dialtone.users on users.tenant_id = jobs.tenant_id and users.user_id = jobs.user_id
        where \(lease.holdsJob) and users.tenant_id = \(user.tenant) and users.user_id = \(user.user)
        for no key update of jobs
        """
    }

    // MARK: The parts of choose, in order

    private static func whatIsWanted(_ user: UserKey) -> SQL {
        """
        select wanted, generation, status from dialtone.users
        where tenant_id = \(user.tenant) and user_id = \(user.user)
        """
    }

    /// Locks the job. A job whose user was changed meanwhile does not wait.
    private static func jobHeld(_ lease: Lease, pause: Duration) -> SQL {
        """
        select jobs.id, jobs.state, jobs.generation, jobs.failures, jobs.in_doubt, jobs.quiet_until, jobs.must_look,
               \(pause) as asked_pause, case when jobs.is_awaited then interval '0' else \(pause) end as pause
        from dialtone.jobs where \(lease.holdsJob)
        for no key update
        """
    }

    private static func openCredentials(_ user: UserKey) -> SQL {
        """
        select credentials.generation, credentials.status, credentials.close_after,
               wish.wanted = 'live' and credentials.generation = wish.generation as is_wanted
        from dialtone.credentials, wish
        where credentials.tenant_id = \(user.tenant) and credentials.user_id = \(user.user)
          and \(OpenCredential.condition)
        """
    }

    /// Whether the wanted generation must still be looked at: not when its credential was found or made. Its doubt ends
    /// with that.
    private static let lookThatIsLeft: SQL = """
        select held.must_look and not exists (select 1 from open where is_wanted) as must_look from held
        """

    /// Credentials to delete, each with the time when that is due, and the wanted generation to make. One that serves
    /// is kept until the wanted one is there. The wanted generation of a user who has failed comes after all others:
    /// the job is dead again then. A generation that must be looked at is a goal also when its user is gone.
    ///
    /// `is_wanted`: it is the user's present generation, which is made, or looked at.
    private static let allGoals: SQL = """
        select open.generation, false as is_wanted,
               case when wish.wanted = 'live' then coalesce(open.close_after, '-infinity') else '-infinity' end as due
        from open, wish
        where not open.is_wanted and (open.status = 'closing' or wish.wanted = 'gone'
                                      or exists (select 1 from open where is_wanted))
        union all
        select wish.generation, true, case when wish.status = 'failed' then timestamptz 'infinity' else '-infinity' end
        from wish
        where wish.wanted = 'live' and not exists (select 1 from open where is_wanted)
        union all
        select wish.generation, true, '-infinity' from wish, held, duty
        where wish.wanted = 'gone' and duty.must_look and held.generation <> wish.generation
          and not exists (select 1 from open where open.generation = wish.generation)
        """

    /// What is due to be deleted comes first, then the wanted generation, then what is due later. `isTurn`: goals that
    /// are due take turns by their generation, and the job's own is last.
    ///
    /// A generation's doubt is its own. A job that must look at the wanted one has kept the doubt of that one.
    private static func firstGoal(isTurn: Bool) -> SQL {
        """
        select goal.generation, goal.due, goal.is_wanted,
               case when goal.due = 'infinity' then 'dead'
                    when goal.due > clock_timestamp() then 'scheduled'
                    when duty.must_look and (goal.is_wanted or held.in_doubt) then 'in_doubt'
                    when held.pause > interval '0' then 'scheduled' else 'queued' end as state
        from held, duty, goals goal
        order by greatest(goal.due, statement_timestamp()),
                 case when not \(isTurn) then goal.is_wanted::int
                      when goal.generation > held.generation then 0
                      when goal.generation < held.generation then 1 else 2 end,
                 goal.generation
        limit 1
        """
    }

    private static func userTold(_ user: UserKey) -> SQL {
        """
        update dialtone.users set status = case when wish.wanted = 'live' then 'ready' else 'revoked' end
        from wish
        where users.tenant_id = \(user.tenant) and users.user_id = \(user.user)
          and case when wish.wanted = 'live'
              then users.status <> 'ready' and exists (select 1 from open where is_wanted)
              else users.status <> 'revoked' and not exists (select 1 from open) and not exists (select 1 from next) end
        returning users.status
        """
    }

    /// The job begins another generation anew: its tries and its tag are its own. While its user has failed, it keeps
    /// what its deaths have left.
    private static func jobGoesOn(_ lease: Lease, isTurn: Bool) -> SQL {
        """
        update dialtone.jobs
        set generation = next.generation, state = next.state,
            run_at = case when next.state = 'dead' and not jobs.is_awaited
                          then clock_timestamp()
                               + \(DeadJob.pause(after: "jobs.reason", deaths: "coalesce(jobs.deaths, 1) - 1"))
                          when next.state = 'dead' then clock_timestamp()
                          else greatest(next.due, clock_timestamp() + held.pause) end,
            place = greatest(jobs.place, \(ServerClock.now)),
            worker = null, lease_until = null, tag = null,
            in_doubt = held.in_doubt and duty.must_look,
            quiet_until = case when duty.must_look then held.quiet_until end,
            must_look = duty.must_look and not next.is_wanted,
            deaths = case when wish.status = 'failed' then jobs.deaths end,
            reason = case when wish.status = 'failed' then jobs.reason end,
            words = case when wish.status = 'failed' then jobs.words end,
            provider_code = case when wish.status = 'failed' then jobs.provider_code end,
            attempts = 0, crashes = 0, is_awaited = false,
            failures = case when \(isTurn) then held.failures + (held.asked_pause > interval '0')::int else 0 end
        from held, duty, next, wish where jobs.id = held.id and \(lease.holdsJob)
        """
    }

    private static func logged(_ lease: Lease, _ user: UserKey, _ trace: Trace) -> SQL {
        """
        insert into dialtone.job_log (job_id, tenant_id, user_id, generation, from_state, to_state, epoch, worker,
                                      http_status, provider_request_id, call_ms, waited_ms)
        select held.id, \(user.tenant), \(user.user), held.generation, held.state,
               coalesce((select state from next), 'ended'),
               \(lease.epoch), \(lease.worker), \(trace.httpStatus.map(Int32.init)), \(trace.requestID),
               \(trace.callMilliseconds), \(trace.waitedMilliseconds)
        from held
        """
    }
}
