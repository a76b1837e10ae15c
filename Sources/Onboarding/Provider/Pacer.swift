// SPDX-License-Identifier: Apache-2.0
// The pace of calls that can wait: so many a second on this node, however much there is to do.

import Synchronization

/// Gives turns at a steady rate. A turn that nobody took is not saved up.
///
/// Lock: `next` has its own. The sleep is outside of it.
final class Pacer: Sendable {
    private let interval: Duration
    private let next: Mutex<ContinuousClock.Instant>
    private let sleep: @Sendable (Duration) async -> Void

    /// `rate`: turns a second. `sleep` waits that long, or until the task is cancelled.
    init(
        rate: Double, sleep: @escaping @Sendable (Duration) async -> Void = { try? await Task.sleep(for: $0) }
    ) {
        self.interval = .seconds(1) / rate
        self.next = Mutex(.now)
        self.sleep = sleep
    }

    /// Returns when it is the caller's turn. Callers get their turns in the order in which they ask.
    ///
    /// Cancelled here: returns at once, and the turn is used up.
    func turn() async {
        let now = ContinuousClock.now
        let wait = self.next.withLock { next -> Duration in
            let own = max(next, now)
            next = own + self.interval
            return now.duration(to: own)
        }
        if wait > .zero { await self.sleep(wait) }
    }
}
