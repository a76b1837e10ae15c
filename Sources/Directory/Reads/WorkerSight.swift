// SPDX-License-Identifier: Apache-2.0
// Whether a worker runs, as this node has seen it within the last three seconds.

import Synchronization

/// The answer comes from the server's locks, and reading them stops whoever takes one. So it is read once a second,
/// however many ask.
final class WorkerSight: Sendable {
    private struct State {
        var seen: Bool?
        var seenAt: ContinuousClock.Instant?
        var nextAt: ContinuousClock.Instant?
    }

    private static let pause: Duration = .seconds(1)
    /// How long an answer holds. One of yesterday says nothing while today's is still under way.
    private static let age: Duration = .seconds(3)

    private let state = Mutex(State())

    /// False: every node that held a lock has lost it. Nil: not known.
    var seen: Bool? { self.seen(at: .now) }

    /// Returns what was seen within the last three seconds, as `seen` does.
    func seen(at now: ContinuousClock.Instant) -> Bool? {
        self.state.withLock { state in
            guard let seenAt = state.seenAt, now - seenAt <= Self.age else { return nil }
            return state.seen
        }
    }

    /// Returns true to one caller a second, who is to ask and to say what there is.
    func isDue(_ now: ContinuousClock.Instant = .now) -> Bool {
        self.state.withLock { state in
            if let next = state.nextAt, now < next { return false }
            state.nextAt = now + Self.pause
            return true
        }
    }

    /// Notes the answer. Nil: the server did not say.
    func see(_ hasWorker: Bool?, at now: ContinuousClock.Instant = .now) {
        self.state.withLock { state in
            state.seen = hasWorker
            state.seenAt = now
        }
    }
}
