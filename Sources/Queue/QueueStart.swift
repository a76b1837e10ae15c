// SPDX-License-Identifier: Apache-2.0
// Where a claim begins to look in the queue, so that it need not walk over what is long gone.

import Postgres

/// A place in the index of queued jobs. While an old snapshot is open, vacuum removes none of the entries of jobs that were
/// ever queued since, and a claim looks each of them up that stands between its start and the first job.
package struct QueueStart: Sendable, Equatable {
    /// A job's place, in microseconds.
    let place: Int64
    /// … or this long before the server's clock, whichever is earlier.
    let behindClock: Int64

    /// All jobs, however long their event waited for its commit.
    package static let beginning = QueueStart(place: .min, behindClock: 0)

    /// Whoever has come since: a new job's place is never before the server's clock, and its commit follows soon.
    package static func clock(orEarlier place: Int64) -> QueueStart {
        QueueStart(place: place, behindClock: 10_000_000)
    }

    /// From a place ahead of the clock, where the last claim has ended, and before that whoever has just come: their places
    /// are within a few seconds of the clock.
    package static func at(_ place: Int64) -> QueueStart {
        QueueStart(place: place, behindClock: -31_536_000_000_000)
    }

    /// As the lower bound of a scan; of stable functions only, for a volatile one bounds none.
    var bound: SQL { "least(\(self.place), \(JobQueue.serverNow) - \(self.behindClock))" }

    /// Who has just come, as a range before `bound` that holds few dead entries. A second back, for a commit that took
    /// that long; ten seconds ahead, for a tenant that has sent a hundred users. Nobody, when the line is not ahead of the
    /// clock: then they stand in it.
    var newcomers: SQL? {
        guard self.behindClock < 0 else { return nil }
        let now = JobQueue.serverNow
        return "\(self.place) > \(now) and vt >= \(now) - 1000000 and vt < least(\(self.place), \(now) + 10000000)"
    }
}
