// SPDX-License-Identifier: Apache-2.0
// Reads from a 429 how long the provider asks us to wait.

import Foundation

/// How long a 429 asks us to wait, kept between 1 s and 15 min.
enum RateLimitWait {
    /// Returns the wait; one second when nothing is said. `header` gives a header's value.
    static func read(_ header: (String) -> String?, now: Date) -> Duration {
        let wait = self.asked(header, now: now) ?? 1
        let seconds = wait.isFinite ? min(max(wait, 1), 900) : 1
        return .milliseconds(Int(seconds * 1000))
    }

    /// Returns the seconds that the headers ask for; nil when they ask for none.
    static func asked(_ header: (String) -> String?, now: Date) -> Double? {
        if let milliseconds = header("retry-after-ms").flatMap(Double.init) { return milliseconds / 1000 }
        if let value = header("retry-after"),
            let seconds = Double(value) ?? self.date(value).map({ $0.timeIntervalSince(now) })
        {
            return seconds
        }
        for name in ["x-ratelimit-reset", "ratelimit-reset"] {
            if let reset = header(name) { return LimitHeaders.secondsToReset(reset, now: now) ?? 1 }
        }
        return LimitHeaders(header, now: now).map { $0.reset / .seconds(1) }
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
