// SPDX-License-Identifier: Apache-2.0
// A job goes back into the table for later: many at once, each guarded by its lease, each written to the log.

package import Model
package import Postgres

/// One job that goes back into the table.
package struct Transition: Sendable {
    package var lease: Lease
    package var to: JobState
    /// When it may be claimed again, from now.
    package var delay: Duration
    /// Whether this try counts towards the limit of tries.
    package var isCharged: Bool
    /// Whether a create may have been sent with its outcome unknown. It is never set back.
    package var isDoubtful: Bool
    /// Whether a call failed. Failures in a row make pauses longer.
    package var isFailure: Bool
    /// From now until an empty answer of the provider may count; nil keeps what stands.
    package var landingTime: Duration?
    /// Absence was proven, and nothing was sent since then: the proof stands, and the next look need not wait.
    package var isUnsent: Bool
    /// The tag is full: the next claim takes a slot of another shard.
    package var dropsTag: Bool
    /// The stopped scope that a scheduled job waits for, and no time makes it due; nil: it waits for its time.
    package var waitsFor: String?
    package var trace: Trace

    package init(
        lease: Lease, to: JobState, delay: Duration, isCharged: Bool = false, isDoubtful: Bool = false,
        isFailure: Bool = false, landingTime: Duration? = nil, isUnsent: Bool = false, dropsTag: Bool = false,
        waitsFor: String? = nil, trace: Trace = Trace()
    ) {
        self.lease = lease
        self.to = to
        self.delay = delay
        self.isCharged = isCharged
        self.isDoubtful = isDoubtful
        self.isFailure = isFailure
        self.landingTime = landingTime
        self.isUnsent = isUnsent
        self.dropsTag = dropsTag
        self.waitsFor = waitsFor
        self.trace = trace
    }
}

extension Transition {
    /// Moves the jobs whose row still matches the lease. Returns their ids; a job not among them was taken away.
    ///
    /// An unknown outcome of a create is followed from now on, also when its job has ended (`FollowedDoubt`).
    ///
    /// Locks rows of `jobs`, in their users' order, which is intake's, and then of `doubts`. Index jobs_pkey.
    package static func write(_ transitions: [Transition]) -> SQL {
        """
        with input as (\(Self.input(transitions))),
        held as materialized (\(Self.lockedInUsersOrder)),
        moved as (\(Self.moved)),
        unknown as (select * from moved where is_unknown),
        followed as (\(FollowedDoubt.begin(from: "unknown"))),
        logged as (\(Self.logged))
        select id from moved
        """
    }

    private static func input(_ transitions: [Transition]) -> SQL {
        """
        select * from unnest(
            \(transitions.map(\.lease.job)), \(transitions.map(\.lease.epoch)), \(transitions.map(\.lease.worker)),
            \(transitions.map(\.lease.state)), \(transitions.map(\.to)), \(transitions.map(\.delay)),
            \(transitions.map { Int32($0.isCharged ? 1 : 0) }), \(transitions.map(\.isDoubtful)),
            \(transitions.map { Int32($0.isFailure ? 1 : 0) }), \(transitions.map(\.landingTime)),
            \(transitions.map(\.isUnsent)), \(transitions.map(\.dropsTag)), \(transitions.map(\.waitsFor)),
            \(transitions.map { $0.trace.httpStatus.map(Int32.init) }), \(transitions.map(\.trace.requestID)),
            \(transitions.map(\.trace.errorCode)), \(transitions.map(\.trace.callMilliseconds)),
            \(transitions.map(\.trace.waitedMilliseconds)))
        as t (id, epoch, worker, from_state, to_state, delay, charge, is_doubtful, failure, landing_time,
              is_unsent, drops_tag, waits_for, http_status, request_id, error_code, call_ms, waited_ms)
        """
    }

    /// Finds the jobs, and then locks them in their users' order. `offset 0` and the lock keep the laterals on the
    /// primary key. `waits_for` is null when there is no row of that scope. Primary key of provider_limits.
    private static let lockedInUsersOrder: SQL = """
        select locked.id, locked.waits_for
        from (select found.id, found.waits_for from input cross join lateral (
                  select jobs.id, jobs.tenant_id, jobs.user_id,
                         (select scope from dialtone.provider_limits where scope = input.waits_for) as waits_for
                  from dialtone.jobs where jobs.id = input.id and jobs.epoch = input.epoch offset 0) found
              order by found.tenant_id, found.user_id) sorted
        cross join lateral (
            select jobs.id, sorted.waits_for from dialtone.jobs
            where jobs.id = sorted.id for no key update of jobs) locked
        """

    /// Doubt is sticky: `in_doubt` is never set back here, and doubt always has a moment before which an empty answer
    /// proves nothing. A job whose user was changed meanwhile waits for no pause, and for no scope.
    ///
    /// A job that waits for a scope comes from a look, and looks again when it is let go. One that was never in doubt
    /// would be queued then, so it must look. Jobs are let go by the scope's row (`LetGo`). A fail-over may have lost
    /// that row, and then the job is due at once.
    ///
    /// `is_unknown`: a create was sent, and its outcome is not known. Only an armed job sends one.
    private static let moved: SQL = """
        update dialtone.jobs
        set state = input.to_state, worker = null, lease_until = null,
            run_at = case when jobs.is_awaited then clock_timestamp()
                     when held.waits_for is not null then timestamptz 'infinity'
                     else clock_timestamp() + input.delay end,
            waits_for = case when not jobs.is_awaited then held.waits_for end,
            must_look = jobs.must_look
                        or (input.waits_for is not null and not jobs.in_doubt and not input.is_doubtful),
            is_awaited = false,
            place = case when input.to_state = 'queued' then jobs.place
                    else greatest(jobs.place, \(ServerClock.now)) end,
            attempts = jobs.attempts + input.charge,
            failures = case when input.failure = 1 then jobs.failures + 1 else 0 end,
            in_doubt = jobs.in_doubt or input.is_doubtful,
            quiet_until = case when input.is_unsent then least(jobs.quiet_until, clock_timestamp())
                          else coalesce(greatest(jobs.quiet_until, clock_timestamp() + input.landing_time),
                                        jobs.quiet_until) end,
            tag = case when input.drops_tag then null else jobs.tag end
        from input join held on held.id = input.id
        where jobs.id = any(array(select id from held)) and jobs.id = input.id and jobs.epoch = input.epoch
          and jobs.worker = input.worker and jobs.state = input.from_state
        returning jobs.id, jobs.tenant_id, jobs.user_id, jobs.generation, jobs.tag, jobs.epoch, input.worker,
                  input.from_state, input.to_state, input.http_status, input.request_id, input.error_code,
                  input.call_ms, input.waited_ms,
                  input.is_doubtful and input.from_state = 'armed' and input.landing_time is not null as is_unknown
        """

    private static let logged: SQL = """
        insert into dialtone.job_log (job_id, tenant_id, user_id, generation, from_state, to_state, epoch, worker,
                                      http_status, provider_request_id, error_code, call_ms, waited_ms)
        select id, tenant_id, user_id, generation, from_state, to_state, epoch, worker,
               http_status, request_id, error_code, call_ms, waited_ms
        from moved
        """
}
