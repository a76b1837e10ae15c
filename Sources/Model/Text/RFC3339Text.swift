// SPDX-License-Identifier: Apache-2.0
// Writes times in one form everywhere: over HTTP, in the command line's JSON and in its tables.

package import Foundation

extension RFC3339 {
    /// Returns UTC with exactly three digits of the second's fraction: "2026-11-26T10:45:59.123Z".
    ///
    /// Later digits are cut off. A time outside the years 1 to 9999 becomes the nearest one inside.
    package static func text(_ date: Date) -> String {
        // PostgreSQL counts microseconds, which a Double holds only nearly: round to them before cutting off.
        let micros = (date.timeIntervalSince1970 * 1_000_000).rounded()
        let millis = max(Self.first, min(Self.last, (micros / 1000).rounded(.down)))
        let days = (millis / 86_400_000).rounded(.down)
        let rest = Int(millis - days * 86_400_000)
        let (year, month, day) = Self.civil(Int(days))
        return "\(Self.digits(year, 4))-\(Self.digits(month, 2))-\(Self.digits(day, 2))T"
            + "\(Self.digits(rest / 3_600_000, 2)):\(Self.digits(rest / 60_000 % 60, 2)):"
            + "\(Self.digits(rest / 1000 % 60, 2)).\(Self.digits(rest % 1000, 3))Z"
    }

    /// Milliseconds of the years 1 and 9999. A Double holds each millisecond between them.
    private static let first = -62_135_596_800_000.0
    private static let last = 253_402_300_799_999.0

    private static func digits(_ number: Int, _ count: Int) -> String {
        let text = "\(number)"
        return String(repeating: "0", count: max(0, count - text.count)) + text
    }

    /// The day of a number of days since 1970-01-01, in the proleptic Gregorian calendar; for years from 1 on.
    private static func civil(_ days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let part = (5 * dayOfYear + 2) / 153
        let month = part < 10 ? part + 3 : part - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * part + 2) / 5 + 1)
    }
}
