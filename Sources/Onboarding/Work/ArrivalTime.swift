// SPDX-License-Identifier: Apache-2.0
// When the event behind a job arrived, so that the time from the 202 to the credential can be told.

/// A moment by this process's continuous clock, as a number.
///
/// `ContinuousClock.Instant` may change its size with the standard library. Every type that holds one is then copied by
/// calls into the runtime, and jobs are copied often.
package struct ArrivalTime: Sendable, Equatable {
    private static let origin = ContinuousClock.now
    private let sinceOrigin: Duration

    /// The moment so long ago.
    init(before waited: Duration) { self.sinceOrigin = Self.origin.duration(to: .now) - waited }

    /// The time since then.
    var elapsed: Duration { Self.origin.duration(to: .now) - self.sinceOrigin }
}
