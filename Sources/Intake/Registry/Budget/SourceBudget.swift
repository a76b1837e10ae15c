// SPDX-License-Identifier: Apache-2.0
// What one source may take of this process: a rate of events, and a count of what it was not given.

import Synchronization

/// A generic cell rate algorithm in one atomic number: a delivery costs no lock and no memory.
final class SourceBudget: Sendable {
    /// How far a source may be ahead of its rate, in nanoseconds: five seconds of it at once.
    static let burst: Int64 = 5_000_000_000

    /// Nanoseconds from one event to the next at the steady rate.
    private let step: Int64
    private let start: ContinuousClock.Instant
    /// When the next event is due at the steady rate, in nanoseconds after `start`.
    private let nextDue = Atomic<Int64>(0)
    private let ignored = Atomic(0)
    private let refused = Atomic(0)
    private let quarantined = Atomic(0)
    /// Bytes of bodies that wait for their answer.
    private let held = Atomic(0)

    /// `rate` is in events per second.
    init(rate: Int, start: ContinuousClock.Instant = .now) {
        self.step = 1_000_000_000 / Int64(max(1, rate))
        self.start = start
    }

    /// Takes one event. Returns nil when it was granted, and otherwise how long to wait. A refused event costs nothing.
    func take(now: ContinuousClock.Instant = .now) -> Duration? {
        let time = Self.nanoseconds(self.start.duration(to: now))
        var due = self.nextDue.load(ordering: .relaxed)
        while true {
            let wait = due + self.step - time - Self.burst
            guard wait <= 0 else {
                self.countRefused()
                return .nanoseconds(wait)
            }
            // What an idle source did not use is not saved up.
            let (isTaken, found) = self.nextDue.weakCompareExchange(
                expected: due, desired: max(due, time) + self.step, ordering: .relaxed)
            if isTaken { return nil }
            due = found
        }
    }

    /// Takes the further events of a delivery whose first was granted. The source may come into debt, because a
    /// delivery is taken whole or not at all.
    func takeMore(_ events: Int) { self.nextDue.add(self.step * Int64(events), ordering: .relaxed) }

    /// Gives back what a delivery took that found no room and was not stored.
    func giveBack(_ events: Int) { self.nextDue.subtract(self.step * Int64(events), ordering: .relaxed) }

    /// Returns whether the bytes of a body may be held beside those of the source that are held already.
    func hold(_ bytes: Int, upTo maximum: Int) -> Bool {
        guard self.held.add(bytes, ordering: .relaxed).newValue <= maximum else {
            self.release(bytes)
            return false
        }
        return true
    }

    func release(_ bytes: Int) { self.held.subtract(bytes, ordering: .relaxed) }

    private static func nanoseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }

    // MARK: What was not stored

    /// Counts deliveries that ask nothing, and events for which quarantine has no room.
    func countIgnored(_ count: Int = 1) { self.ignored.add(count, ordering: .relaxed) }

    /// Counts a delivery that was told to come again.
    func countRefused() { self.refused.add(1, ordering: .relaxed) }

    /// Counts events that are kept until an operator or the sender settles them.
    func countQuarantined(_ events: Int) { self.quarantined.add(events, ordering: .relaxed) }

    /// Returns the counts since the last call. Nil when all are 0.
    func takeCounts() -> (ignored: Int, refused: Int, quarantined: Int)? {
        let ignored = self.ignored.exchange(0, ordering: .relaxed)
        let refused = self.refused.exchange(0, ordering: .relaxed)
        let quarantined = self.quarantined.exchange(0, ordering: .relaxed)
        guard ignored > 0 || refused > 0 || quarantined > 0 else { return nil }
        return (ignored, refused, quarantined)
    }

    /// Whether the source has used nothing of its rate lately and holds no body. Such a budget is as good as a new one.
    func isIdle(now: ContinuousClock.Instant = .now) -> Bool {
        self.held.load(ordering: .relaxed) == 0
            && self.nextDue.load(ordering: .relaxed) <= Self.nanoseconds(self.start.duration(to: now))
    }
}
