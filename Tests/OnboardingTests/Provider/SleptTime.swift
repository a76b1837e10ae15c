// SPDX-License-Identifier: Apache-2.0
// A time that passes only while somebody sleeps, so that a test sees how long was waited and does not wait.

import Synchronization

@testable import Onboarding

final class SleptTime: Sendable {
    private let start = ContinuousClock.now
    private let slept = Mutex<Duration>(.zero)

    /// How long was slept in all.
    var total: Duration { self.slept.withLock { $0 } }

    /// `whileAsleep` happens in each sleep.
    func passing(_ whileAsleep: @escaping @Sendable () async throws -> Void = {}) -> PassingTime {
        PassingTime(
            now: { self.start + self.total },
            sleep: { pause in
                self.slept.withLock { $0 += pause }
                try await whileAsleep()
            })
    }
}
