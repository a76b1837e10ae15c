// SPDX-License-Identifier: Apache-2.0
// Where a claim begins to look in the queue, so that it need not walk over what is long gone.

import Postgres

/// A place in the index of queued jobs. While an old snapshot is open, vacuum removes none of the entries of jobs that were
/// ever queued since, and a claim looks each of them up that stands between its start and the first job.
package enum QueueStart: Sendable, Equatable {
    /// All jobs, however long their event waited for its commit.
    case beginning
    /// Whoever has come since: a new job's place is never before the server's clock, and its commit follows soon. Or from
    /// this place, in microseconds, whichever is earlier.
    case clock(orEarlier: Int64)
    /// From a place, in microseconds, where the last claim has ended, and before that whoever has just come.
    case at(Int64)

    /// As the lower bound of a scan; of stable functions only, for a volatile one bounds none.
    var bound: SQL {
        switch self {
        case .beginning: "\(Int64.min)"
        case .clock(let place): "least(\(place), \(ServerClock.statementStart) - 10000000)"
        case .at(let place): "\(place)"
        }
    }

    /// Who has just come, as a range before `bound` that holds few dead entries. A second back, for a commit that took
    /// that long; ten seconds ahead, for a tenant that has sent a hundred users. Nobody, when the line is not ahead of the
    /// clock: then they stand in it.
    var newcomers: SQL? {
        guard case .at(let place) = self else { return nil }
        let now = ServerClock.statementStart
        return "\(place) > \(now) and place >= \(now) - 1000000 and place < least(\(place), \(now) + 10000000)"
    }
}
