// SPDX-License-Identifier: Apache-2.0
// How often a key may ask the routes that read, and what its answers say of that.

import HTTPTypes
import Synchronization

/// A window of a minute for each key, on this node. The fields are those of draft-ietf-httpapi-ratelimit-headers.
package final class Quota: Sendable {
    package struct Policy: Sendable {
        /// Requests of a key in a window.
        package var requests = 1200
        package var window: Duration = .seconds(60)

        package init() {}
    }

    /// What is left to a key.
    struct Rest: Sendable, Equatable {
        var remaining: Int
        /// Seconds until the window ends, rounded up.
        var seconds: Int
        /// Whether the request is more than the window has.
        var isExceeded: Bool

        /// Throws 429 when the window is used up.
        func check() throws(Problem) {
            guard self.isExceeded else { return }
            throw Problem(
                429, "quota_exceeded", "This was asked as often as it may be in a minute.", retryAfter: self.seconds)
        }
    }

    private struct Window {
        var end: ContinuousClock.Instant
        var used = 0
    }

    private let policy: Policy
    private let windows = Mutex<[String: Window]>([:])

    init(_ policy: Policy) { self.policy = policy }

    /// Counts a request of a key. Throws 429 when the window is used up.
    func take(_ key: String, at now: ContinuousClock.Instant = .now) throws(Problem) -> Rest {
        let rest = self.count(key, at: now)
        try rest.check()
        return rest
    }

    /// Counts a request of a key, and returns what is left.
    func count(_ key: String, at now: ContinuousClock.Instant = .now) -> Rest {
        let (used, left) = self.windows.withLock { windows -> (Int, Duration) in
            if windows.count > 1000 { windows = windows.filter { $0.value.end > now } }
            var window = windows[key] ?? Window(end: now + self.policy.window)
            if window.end <= now { window = Window(end: now + self.policy.window) }
            window.used += 1
            windows[key] = window
            return (window.used, window.end - now)
        }
        return Rest(
            remaining: max(0, self.policy.requests - used), seconds: max(1, Int((left / .seconds(1)).rounded(.up))),
            isExceeded: used > self.policy.requests)
    }

    /// `RateLimit-Policy` and `RateLimit` of an answer.
    func fields(_ rest: Rest) -> [(name: String, value: String)] {
        let window = Int(self.policy.window / .seconds(1))
        return [
            ("ratelimit-policy", "\"key\";q=\(self.policy.requests);w=\(window)"),
            ("ratelimit", "\"key\";r=\(rest.remaining);t=\(rest.seconds)"),
        ]
    }
}

/// An error of a request that has counted: its answer says what is left, as any other does.
struct CountedError: Error {
    let error: any Error
    /// Names in lower case.
    let fields: [(name: String, value: String)]
}
