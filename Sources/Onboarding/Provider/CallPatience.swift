// SPDX-License-Identifier: Apache-2.0
// How the calls of an operator's sweep wait while the provider holds calls back, and that they say so.

import Synchronization

/// The patience of one run. A call that is held back for longer than it lasts fails, and none waits until that is over.
final class CallPatience: Sendable {
    private struct State {
        var hasGivenUp = false
        /// Until when no call is worth a try.
        var heldUntil: ContinuousClock.Instant?
    }

    /// A shorter wait is not told.
    private static let shortest: Duration = .seconds(2)

    private let longest: Duration
    private let time: PassingTime
    private let tell: @Sendable (String) -> Void
    private let state = Mutex(State())

    /// `longest`: how long one call may wait.
    init(
        _ longest: Duration, time: PassingTime = PassingTime(), tell: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.longest = longest
        self.time = time
        self.tell = tell
    }

    /// Until when a call that begins now may wait.
    var deadline: ContinuousClock.Instant { self.time.now() + self.longest }

    /// How long no call is worth a try, because one was held back for too long; nil: it is now.
    var rest: Duration? {
        let now = self.time.now()
        return self.state.withLock { state in
            guard let end = state.heldUntil, end > now else { return nil }
            return now.duration(to: end)
        }
    }

    /// Waits for the end of a pause, and returns whether the call is worth another try.
    ///
    /// A pause that ends after the deadline is not waited for. Cancelled here: the call fails.
    func wait(for pause: Duration, until deadline: ContinuousClock.Instant) async -> Bool {
        let now = self.time.now()
        let end = now + pause
        let mayWait = self.state.withLock { state -> Bool in
            if let heldUntil = state.heldUntil, heldUntil <= now { state = State() }
            if !state.hasGivenUp && end <= deadline { return true }
            state.hasGivenUp = true
            state.heldUntil = max(state.heldUntil ?? end, end)
            return false
        }
        guard mayWait else { return false }
        if pause >= Self.shortest {
            self.tell("calls are held back for \(pause.components.seconds) s (dialtone limit list); waiting")
        }
        return (try? await self.time.sleep(pause)) != nil
    }
}
