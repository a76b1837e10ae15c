// SPDX-License-Identifier: Apache-2.0
// A job put back for later: many at once, each guarded by id, epoch, worker and state, each written to the log.

package import Model
package import Postgres

/// A job as its worker holds it: what every transition must still find in the row.
package struct Lease: Sendable, Hashable {
    package let job: JobID
    package let epoch: Int64
    package let worker: WorkerID
    /// `armed` or `looking`.
    package let state: JobState

    package init(job: JobID, epoch: Int64, worker: WorkerID, state: JobState) {
        self.job = job
        self.epoch = epoch
        self.worker = worker
        self.state = state
    }
}

/// What the provider said, for the log: status, its request id, its error code.
package struct Trace: Sendable, Equatable {
    package var httpStatus: Int?
    package var requestID: String?
    package var errorCode: String?

    package init(httpStatus: Int? = nil, requestID: String? = nil, errorCode: String? = nil) {
        self.httpStatus = httpStatus
        self.requestID = requestID
        self.errorCode = errorCode
    }
}

/// One job that goes back into the table.
package struct Transition: Sendable {
    package var lease: Lease
    package var to: JobState
    /// When it may be claimed again, from now.
    package var delay: Duration
    /// Whether this try counts towards the limit of tries.
    package var isCharged: Bool
    /// Whether a create may have been sent with its outcome unknown; never set back.
    package var isDoubtful: Bool
    /// Empty look-ups so far.
    package var empties: Int
    /// Whether a call failed; failures in a row make pauses longer.
    package var isFailure: Bool
    /// From now until an empty answer of the provider may count; nil keeps what stands.
    package var landingTime: Duration?
    /// The tag is full: the next claim takes a slot of another shard.
    package var dropsTag: Bool
    package var trace: Trace

    package init(
        lease: Lease, to: JobState, delay: Duration, isCharged: Bool = false, isDoubtful: Bool = false,
        empties: Int = 0,
        isFailure: Bool = false, landingTime: Duration? = nil, dropsTag: Bool = false, trace: Trace = Trace()
    ) {
        self.lease = lease
        self.to = to
        self.delay = delay
        self.isCharged = isCharged
        self.isDoubtful = isDoubtful
        self.empties = empties
        self.isFailure = isFailure
        self.landingTime = landingTime
        self.dropsTag = dropsTag
        self.trace = trace
    }
}

extension JobQueue {
    /// Moves the jobs whose row still matches the lease, and answers their ids; a job not among them was taken away.
    ///
    /// Locks only rows of `jobs`, found by primary key and locked in their users' order, which is intake's. Doubt is
    /// sticky: `in_doubt` is never set back here, and what is in doubt always has a moment before which an empty answer
    /// proves nothing. What was wanted of a user meanwhile waits for no pause.
    package static func move(_ transitions: [Transition]) -> SQL {
        """
        with input as (
            select * from unnest(
                \(transitions.map(\.lease.job)), \(transitions.map(\.lease.epoch)), \(transitions.map(\.lease.worker)),
                \(transitions.map(\.lease.state)), \(transitions.map(\.to)), \(transitions.map(\.delay)),
                \(transitions.map { Int32($0.isCharged ? 1 : 0) }), \(transitions.map(\.isDoubtful)),
                \(transitions.map { Int32($0.empties) }), \(transitions.map { Int32($0.isFailure ? 1 : 0) }),
                \(transitions.map(\.landingTime)), \(transitions.map(\.dropsTag)),
                \(transitions.map { $0.trace.httpStatus.map(Int32.init) }), \(transitions.map(\.trace.requestID)),
                \(transitions.map(\.trace.errorCode)))
            as t (id, epoch, worker, from_state, to_state, delay, charge, is_doubtful, empties, failure, landing_time,
                  drops_tag, http_status, request_id, error_code)),
        held as materialized (
            select j.id from dialtone.jobs j join input i on j.id = i.id and j.epoch = i.epoch
            order by j.tenant_id, j.user_id for no key update of j),
        moved as (
            update dialtone.jobs j
            set state = i.to_state, worker = null, lease_until = null,
                run_at = clock_timestamp() + case when j.is_awaited and i.to_state = 'scheduled' then interval '0'
                                                  else i.delay end,
                is_awaited = false,
                place = case when i.to_state = 'queued' then j.place
                     else greatest(j.place, \(ServerClock.now)) end,
                attempts = j.attempts + i.charge, empties = i.empties,
                failures = case when i.failure = 1 then j.failures + 1 else 0 end,
                in_doubt = j.in_doubt or i.is_doubtful,
                quiet_until = coalesce(
                    greatest(j.quiet_until, clock_timestamp() + i.landing_time), j.quiet_until),
                tag = case when i.drops_tag then null else j.tag end
            from input i join held on held.id = i.id
            where j.id = i.id and j.epoch = i.epoch and j.worker = i.worker and j.state = i.from_state
            returning j.id, j.tenant_id, j.user_id, j.generation, j.epoch, i.worker, i.from_state, i.to_state,
                      i.http_status, i.request_id, i.error_code),
        logged as (
            insert into dialtone.job_log (job_id, tenant_id, user_id, generation, from_state, to_state, epoch, worker,
                                          http_status, provider_request_id, error_code)
            select id, tenant_id, user_id, generation, from_state, to_state, epoch, worker,
                   http_status, request_id, error_code
            from moved)
        select id from moved
        """
    }
}
