// SPDX-License-Identifier: Apache-2.0
// The Date field of the fast path's answers, formatted once a second.

import Foundation
import Synchronization

/// The Date field (RFC 9110 section 6.6.1).
final class DateField: Sendable {
    private let last = Mutex<(second: Int, text: String)>((0, ""))

    func text(_ now: Date) -> String {
        let second = Int(now.timeIntervalSince1970)
        return self.last.withLock { last in
            if last.second != second { last = (second, Self.format(second)) }
            return last.text
        }
    }

    /// IMF-fixdate: `Sun, 06 Nov 1994 08:49:37 GMT`.
    private static func format(_ second: Int) -> String {
        Date(timeIntervalSince1970: TimeInterval(second)).formatted(
            Date.VerbatimFormatStyle(
                format: """
                    \(weekday: .abbreviated), \(day: .twoDigits) \(month: .abbreviated) \(year: .padded(4)) \
                    \(hour: .twoDigits(clock: .twentyFourHour, hourCycle: .zeroBased)):\(minute: .twoDigits):\
                    \(second: .twoDigits) GMT
                    """,
                locale: Locale(identifier: "en_US_POSIX"), timeZone: .gmt, calendar: Calendar(identifier: .gregorian)))
    }
}
