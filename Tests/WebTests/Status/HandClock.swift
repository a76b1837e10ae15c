// SPDX-License-Identifier: Apache-2.0
// A clock that a test sets by hand.

import Synchronization

final class HandClock: Sendable {
    private let time = Mutex(ContinuousClock.now)

    var now: ContinuousClock.Instant { self.time.withLock { $0 } }

    func advance(by duration: Duration) { self.time.withLock { $0 += duration } }
}
