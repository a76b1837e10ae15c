// SPDX-License-Identifier: Apache-2.0
// A worker's authority over one job, and what the provider said of it, for the log.

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

    /// The fence, as a condition on `dialtone.jobs`: the row is still this worker's. Index jobs_pkey.
    ///
    /// The epoch grows whenever the job changes hands, so the writes of a former worker match nothing.
    package var holdsJob: SQL {
        """
        jobs.id = \(self.job) and jobs.epoch = \(self.epoch) and jobs.worker = \(self.worker)
        and jobs.state = \(self.state)
        """
    }
}

/// What the provider said: status, its request id, its error code, and how long it took to say it.
package struct Trace: Sendable, Equatable {
    package var httpStatus: Int?
    package var requestID: String?
    package var errorCode: String?
    /// How long the calls took; nil: there was none, or it was not measured.
    package var called: Duration?
    /// From the run's beginning, or from the call before, until the first of these calls.
    package var waited: Duration?

    package init(httpStatus: Int? = nil, requestID: String? = nil, errorCode: String? = nil) {
        self.httpStatus = httpStatus
        self.requestID = requestID
        self.errorCode = errorCode
    }

    /// The column `job_log.call_ms`.
    package var callMilliseconds: Int32? { self.called.map(Self.milliseconds) }
    /// The column `job_log.waited_ms`.
    package var waitedMilliseconds: Int32? { self.waited.map(Self.milliseconds) }

    private static func milliseconds(_ time: Duration) -> Int32 {
        Int32(clamping: Int64((time / .milliseconds(1)).rounded()))
    }
}
