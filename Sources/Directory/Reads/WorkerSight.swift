// SPDX-License-Identifier: Apache-2.0
// Whether a worker runs, as this node has seen it within the last second.

import Synchronization

/// The answer comes from the server's locks, and reading them stops whoever takes one. So it is read once a second,
/// however many ask.
final class WorkerSight: Sendable {
    private struct State {
        var seen: Bool?
        var nextAt: ContinuousClock.Instant?
    }

    private static let age: Duration = .seconds(1)

    private let state = Mutex(State())

    /// False: every node that held a lock has lost it. Nil: not known.
    var seen: Bool? { self.state.withLock(\.seen) }

    /// Returns true to one caller a second, who is to ask and to say what there is.
    func isDue(_ now: ContinuousClock.Instant = .now) -> Bool {
        self.state.withLock { state in
            if let next = state.nextAt, now < next { return false }
            state.nextAt = now + Self.age
            return true
        }
    }

    func see(_ hasWorker: Bool?) { self.state.withLock { $0.seen = hasWorker } }
}
