// SPDX-License-Identifier: Apache-2.0
// How many calls the simulated provider takes in a span of time, and what it says of that in each reply.

import Foundation

/// A limit on all calls together. Its spans follow one another without a gap.
struct CallLimit: Decodable, Sendable {
    /// Calls in a span.
    var calls: Int
    /// The length of a span.
    var seconds: Double

    private enum CodingKeys: CodingKey { case calls, seconds }

    private var span = 0.0
    private var spent = 0

    /// What is left after a call.
    struct Spent: Sendable {
        var limit: Int
        /// Below zero: the call is refused.
        var remaining: Int
        /// The time until the next span, in seconds.
        var reset: Double

        var headers: [(String, String)] {
            [
                ("x-ratelimit-limit", "\(self.limit)"), ("x-ratelimit-remaining", "\(max(0, self.remaining))"),
                ("x-ratelimit-reset", "\(Int(self.reset.rounded(.up)))"),
            ]
        }
    }

    mutating func spend(at now: Date) -> Spent {
        let time = now.timeIntervalSince1970
        let span = (time / self.seconds).rounded(.down)
        if span != self.span { (self.span, self.spent) = (span, 0) }
        self.spent += 1
        return Spent(limit: self.calls, remaining: self.calls - self.spent, reset: (span + 1) * self.seconds - time)
    }
}
