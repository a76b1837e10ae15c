// SPDX-License-Identifier: Apache-2.0
// Where the next claim starts: mostly where the last one ended, and often enough before that for jobs that came
// meanwhile.

import Queue

/// Chooses each claim's start. `JobQueue` says what a start is and why it matters.
///
/// Every claim sees the newcomers near the clock. Jobs between them and the line are seen by a claim from the clock
/// only. When such a claim costs nothing extra, every second claim is one. While an old snapshot is open it may be
/// dear. Then its extra cost is held to a fiftieth of the time, and it is made twice a minute at least.
struct ClaimCursor {
    /// The place of the last job claimed, in microseconds; nil when the last claim saw the end of the queue.
    private var place: Int64?
    private var wasFromClock = false
    private var clockDue: ContinuousClock.Instant
    private var beginningDue: ContinuousClock.Instant
    private var cost = Cost()

    /// What a claim has taken of late, from the clock and from the last place.
    private struct Cost {
        var fromClock: Duration?
        var fromPlace: Duration?

        /// How much longer a claim from the clock takes.
        func extra(of took: Duration) -> Duration {
            (self.fromClock ?? took) - (self.fromPlace ?? self.fromClock ?? took)
        }

        static func blend(_ old: Duration?, _ new: Duration) -> Duration {
            old.map { $0 * 0.8 + new * 0.2 } ?? new
        }
    }

    init(now: ContinuousClock.Instant) {
        self.clockDue = now
        self.beginningDue = now
    }

    func start(at now: ContinuousClock.Instant) -> QueueStart {
        if let place, self.wasFromClock || now < self.clockDue { return .at(place) }
        // An event may have waited long for its commit.
        return now < self.beginningDue ? .clock(orEarlier: self.place ?? .max) : .beginning
    }

    /// Notes how far a claim came: the place of its last job, or nil when it saw the end of the queue. Returns whether
    /// a job may stand before the claim's start; it is next then.
    mutating func advanced(
        from start: QueueStart, to place: Int64?, took: Duration, at now: ContinuousClock.Instant
    ) -> Bool {
        if case .at(let last) = start {
            self.wasFromClock = false
            // Newcomers alone do not move the line.
            self.place = place.map { max($0, last) }
            self.cost.fromPlace = Cost.blend(self.cost.fromPlace, took)
            return place == nil
        }
        self.wasFromClock = true
        self.place = place
        self.cost.fromClock = Cost.blend(self.cost.fromClock, took)
        if start == .beginning { self.beginningDue = now + .seconds(10) }
        // Half a minute at most: one claim may have been slow for another reason.
        self.clockDue = now + min(max(.zero, self.cost.extra(of: took) * 50), .seconds(30))
        return false
    }

    /// Nothing was claimed: nothing stood behind the start, or nothing was permitted.
    mutating func foundNothing() { self.wasFromClock = false }
}
