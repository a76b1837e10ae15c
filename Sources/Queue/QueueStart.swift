// SPDX-License-Identifier: Apache-2.0
// Where a claim starts to read the queue, so that it does not look up the entries of jobs that were done long ago.

import Postgres

/// A place in the index of queued jobs. `JobQueue` says why a claim does not always start at the beginning.
package enum QueueStart: Sendable, Equatable {
    /// All jobs, also one whose event waited long for its commit.
    case beginning
    /// From ten seconds before the clock: a new job's place is never before the clock, and its commit follows soon. Or
    /// from this place, in microseconds, whichever is earlier.
    case clock(orEarlier: Int64)
    /// From the place where the last claim ended, in microseconds, and the newcomers before it.
    case at(Int64)

    /// The lower bound of the scan. It is made of stable functions only, because a volatile one bounds no index scan.
    var bound: SQL {
        switch self {
        case .beginning: "\(Int64.min)"
        case .clock(let place): "least(\(place), \(ServerClock.statementStart) - 10000000)"
        case .at(let place): "\(place)"
        }
    }

    /// Jobs that arrived just now, as a range before `bound`. Nil when the line is not ahead of the clock: newcomers
    /// are in it then.
    ///
    /// The range begins one second before the clock, because a commit may take that long. It ends ten seconds after the
    /// clock, where the hundredth job of a tenant stands. So it holds few dead entries.
    var newcomers: SQL? {
        guard case .at(let place) = self else { return nil }
        let now = ServerClock.statementStart
        return "\(place) > \(now) and place >= \(now) - 1000000 and place < least(\(place), \(now) + 10000000)"
    }
}
