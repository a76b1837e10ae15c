// SPDX-License-Identifier: Apache-2.0
// From where the next claim looks: mostly where the last one found jobs, and often enough before them for who has just come.

import Queue

/// Chooses each claim's start. A tenant that imports many users lines up far ahead of the clock; who comes meanwhile stands
/// between the clock and that line, and so do, while an old snapshot is open, the entries of all jobs that were done. Whoever
/// stands near the clock every claim sees. A look at all between is dear then, so its extra cost is held to a fiftieth of the
/// time; when it costs nothing extra, every second claim is one.
struct ClaimCursor {
    private var place: Int64?
    private var wasFromClock = false
    private var clockDue: ContinuousClock.Instant
    private var beginningDue: ContinuousClock.Instant
    /// What a claim takes, of late: from the clock, and from the last place.
    private var fromClock: Duration?
    private var fromPlace: Duration?

    init(now: ContinuousClock.Instant) {
        self.clockDue = now
        self.beginningDue = now
    }

    func start(at now: ContinuousClock.Instant) -> QueueStart {
        if let place, self.wasFromClock || now < self.clockDue { return .at(place) }
        // For an event that waited long for its commit.
        return now < self.beginningDue ? .clock(orEarlier: self.place ?? .max) : .beginning
    }

    /// How far a claim came: the place of its last job, nil when it has seen the end of the queue. Answers whether somebody
    /// may stand before its start, who is next then.
    mutating func advanced(
        from start: QueueStart, to place: Int64?, took: Duration, at now: ContinuousClock.Instant
    ) -> Bool {
        if case .at(let last) = start {
            self.wasFromClock = false
            // Newcomers alone do not move the line.
            self.place = place.map { max($0, last) }
            self.fromPlace = Self.blend(self.fromPlace, took)
            return place == nil
        }
        self.wasFromClock = true
        self.place = place
        self.fromClock = Self.blend(self.fromClock, took)
        if start == .beginning { self.beginningDue = now + .seconds(10) }
        let extra = (self.fromClock ?? took) - (self.fromPlace ?? self.fromClock ?? took)
        // At most half a minute, for one claim may have been slow for another reason.
        self.clockDue = now + min(max(.zero, extra * 50), .seconds(30))
        return false
    }

    /// Nothing was claimed: there was nothing from its start on, or no permission for it.
    mutating func foundNothing() { self.wasFromClock = false }

    private static func blend(_ old: Duration?, _ new: Duration) -> Duration {
        old.map { $0 * 0.8 + new * 0.2 } ?? new
    }
}
