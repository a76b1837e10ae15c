// SPDX-License-Identifier: Apache-2.0
// How a worker shows from outside that it lives: the time of its last turn, and why its housekeeping fails.

import Synchronization

/// The pulse of one worker, or of anything else that must come round again and again.
package final class WorkerPulse: Sendable {
    private struct State {
        var turnedAt: ContinuousClock.Instant
        var trouble: String?
        var stoppedDeletes: String?
    }

    private let now: @Sendable () -> ContinuousClock.Instant
    private let state: Mutex<State>

    /// Counts from its making, so that a start has time for its first turn.
    package init(now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
        self.now = now
        self.state = Mutex(State(turnedAt: now()))
    }

    /// Notes that the loop has come round.
    package func turned() {
        let now = self.now()
        self.state.withLock { $0.turnedAt = now }
    }

    /// Since the last turn.
    package var age: Duration { self.state.withLock(\.turnedAt).duration(to: self.now()) }

    /// Notes why the last round of housekeeping did not work; nil: it did.
    package func note(trouble: String?) { self.state.withLock { $0.trouble = trouble } }

    package var trouble: String? { self.state.withLock(\.trouble) }

    /// Notes that deletes are stopped, in words for an operator; nil: they are not.
    package func note(stoppedDeletes: String?) { self.state.withLock { $0.stoppedDeletes = stoppedDeletes } }

    package var stoppedDeletes: String? { self.state.withLock(\.stoppedDeletes) }
}
