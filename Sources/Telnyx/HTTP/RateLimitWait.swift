// SPDX-License-Identifier: Apache-2.0
// Reads from a 429 how long the provider asks us to wait.

import Foundation

/// How long a 429 asks us to wait, kept between 1 s and 15 min.
enum RateLimitWait {
    /// Returns the wait. `header` gives a header's value.
    ///
    /// The vendor's pages disagree whether `x-ratelimit-reset` is seconds or an epoch, so its size decides: above 1e12
    /// it is an epoch in milliseconds, above 1e9 an epoch in seconds.
    static func read(_ header: (String) -> String?, now: Date) -> Duration {
        let wait: Double
        if let milliseconds = header("retry-after-ms").flatMap(Double.init) {
            wait = milliseconds / 1000
        } else if let value = header("retry-after"),
            let seconds = Double(value) ?? self.date(value).map({ $0.timeIntervalSince(now) })
        {
            wait = seconds
        } else if let reset = header("x-ratelimit-reset").flatMap(Double.init) {
            wait =
                reset > 1e12
                ? reset / 1000 - now.timeIntervalSince1970 : reset > 1e9 ? reset - now.timeIntervalSince1970 : reset
        } else {
            wait = 1
        }
        let seconds = wait.isFinite ? min(max(wait, 1), 900) : 1
        return .milliseconds(Int(seconds * 1000))
    }

    /// Reads the one form that senders may generate (RFC 9110 section 5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT".
    private static func date(_ text: String) -> Date? {
        let format = Date.VerbatimFormatStyle(
            format: """
                \(weekday: .abbreviated), \(day: .twoDigits) \(month: .abbreviated) \(year: .defaultDigits) \
                \(hour: .twoDigits(clock: .twentyFourHour, hourCycle: .zeroBased)):\(minute: .twoDigits):\
                \(second: .twoDigits) GMT
                """,
            locale: Locale(identifier: "en_US_POSIX"), timeZone: .gmt, calendar: Calendar(identifier: .gregorian))
        return try? format.parseStrategy.parse(text)
    }
}
