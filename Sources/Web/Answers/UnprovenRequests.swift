// SPDX-License-Identifier: Apache-2.0
// Counts the requests that anybody may send: probes, paths that do not exist, unknown keys and hooks.

import Synchronization

/// A count for each second of this process. Above its limit, answers are kept back (`AnswerDelay`).
final class UnprovenRequests: Sendable {
    /// Requests in a second that are answered at once.
    private let limit: Int
    private let start: ContinuousClock.Instant
    private let state = Mutex((second: Int64(0), count: 0))

    init(limit: Int = 500, start: ContinuousClock.Instant = .now) {
        self.limit = limit
        self.start = start
    }

    /// Counts a request. Returns whether its second has had too many.
    func areTooMany(now: ContinuousClock.Instant) -> Bool {
        let second = self.start.duration(to: now).components.seconds
        return self.state.withLock { state in
            if state.second != second { state = (second, 0) }
            state.count += 1
            return state.count > self.limit
        }
    }

    /// Returns whether this problem answers a request that has proven nobody.
    static func isOne(_ problem: Problem) -> Bool {
        switch problem.code {
        case "key_missing", "key_malformed", "key_unknown", "unknown_hook", "source_disabled", "not_found",
            "not_ready", "method_not_allowed", "unknown_method":
            true
        default: false
        }
    }
}
