// SPDX-License-Identifier: Apache-2.0
// Reads times as senders' libraries and the provider write them: RFC 3339, and what ISO 8601 allows beside it.

package import Foundation

package enum RFC3339 {
    /// A longer text is no time. Nine digits of a second and a zone take 35 bytes.
    private static let maximumBytes = 64

    /// Reads "2026-01-01T00:00:00Z" and what libraries write instead. Returns nil for any other text, and for a day or
    /// a second that does not exist.
    ///
    /// - The T may be a space, and letters may be small (RFC 3339 section 5.6).
    /// - The seconds may be missing (ISO 8601; Java leaves out zeros). A fraction has any number of digits, after a
    ///   point or a comma. Nine digits count.
    /// - The zone is Z, UTC, `+hh:mm`, `+hhmm` or `+hh`, perhaps after a space (PostgreSQL, Ruby). A time without a
    ///   zone is UTC if `assumesUTC` is true.
    /// - 24:00 is the end of the day (ISO 8601-1:2019/Amd 1).
    /// - A second 60 is the last one of a month in UTC, as RFC 3339 has it, and counts like the midnight after it.
    package static func date(_ text: String, assumesUTC: Bool = false) -> Date? {
        guard text.utf8.count <= Self.maximumBytes else { return nil }
        var time = TimeText(text)
        guard let day = time.day(), time.take("T", "t", " "), let clock = time.clock(),
            let offset = time.isAtEnd ? (assumesUTC ? 0 : nil) : time.offset(), time.isAtEnd
        else { return nil }
        let seconds = day.number * 86_400 + clock.seconds - offset
        // A minute's second 60 leads to a midnight in UTC, at which a month begins: this one or the next.
        guard !clock.isLeap || seconds == day.month * 86_400 || seconds == day.nextMonth * 86_400 else { return nil }
        return Date(timeIntervalSince1970: Double(seconds) + clock.fraction)
    }
}

/// The parts of a time, read from left to right. Each function returns nil where its part is not well formed.
private struct TimeText {
    private let bytes: [UInt8]
    private var position = 0

    init(_ text: String) { self.bytes = Array(text.utf8) }

    var isAtEnd: Bool { self.position == self.bytes.count }

    /// Returns the days since 1970-01-01, and those of the first days of this month and of the next.
    mutating func day() -> (number: Int, month: Int, nextMonth: Int)? {
        guard let year = self.number(4), self.take("-"), let month = self.number(2), self.take("-"),
            let day = self.number(2), (1...12).contains(month)
        else { return nil }
        let first = Self.days(year, month)
        let next = month == 12 ? Self.days(year + 1, 1) : Self.days(year, month + 1)
        guard (1...next - first).contains(day) else { return nil }
        return (first + day - 1, first, next)
    }

    /// Returns the seconds since midnight, the fraction of a second, and whether the second is a 60.
    mutating func clock() -> (seconds: Int, fraction: Double, isLeap: Bool)? {
        guard let hour = self.number(2), self.take(":"), let minute = self.number(2), minute < 60 else { return nil }
        var (second, fraction) = (0, 0.0)
        if self.take(":") {
            guard let number = self.number(2), let rest = self.fraction(), number <= 60 else { return nil }
            (second, fraction) = (number, rest)
        }
        guard hour < 24 || (hour == 24 && minute == 0 && second == 0 && fraction == 0) else { return nil }
        return (hour * 3600 + minute * 60 + second, fraction, second == 60)
    }

    /// Returns 0 where no point or comma follows.
    private mutating func fraction() -> Double? {
        guard self.take(".", ",") else { return 0 }
        var (nanoseconds, digits) = (0, 0)
        while let digit = self.number(1) {
            if digits < 9 { nanoseconds = nanoseconds * 10 + digit }
            digits += 1
        }
        guard digits > 0 else { return nil }
        for _ in 0..<max(0, 9 - digits) { nanoseconds *= 10 }
        return Double(nanoseconds) / 1e9
    }

    /// Returns seconds east of UTC. RFC 3339 section 5.6 allows hours up to 23.
    mutating func offset() -> Int? {
        _ = self.take(" ")
        if self.take("Z", "z") { return 0 }
        if self.take("U") { return self.take("T") && self.take("C") ? 0 : nil }
        let isWest = self.take("-")
        guard isWest || self.take("+"), let hours = self.number(2), hours < 24 else { return nil }
        var minutes = 0
        if !self.isAtEnd {
            _ = self.take(":")
            guard let number = self.number(2), number < 60 else { return nil }
            minutes = number
        }
        let seconds = hours * 3600 + minutes * 60
        return isWest ? -seconds : seconds
    }

    /// Returns a number of exactly so many digits.
    private mutating func number(_ digits: Int) -> Int? {
        guard self.position + digits <= self.bytes.count else { return nil }
        var number = 0
        for digit in self.bytes[self.position..<self.position + digits] {
            guard (0x30...0x39).contains(digit) else { return nil }
            number = number * 10 + Int(digit - 0x30)
        }
        self.position += digits
        return number
    }

    /// Returns whether one of the characters comes next, and passes it.
    mutating func take(_ first: Unicode.Scalar, _ second: Unicode.Scalar? = nil, _ third: Unicode.Scalar? = nil) -> Bool
    {
        guard !self.isAtEnd else { return false }
        let next = Unicode.Scalar(self.bytes[self.position])
        guard next == first || next == second || next == third else { return false }
        self.position += 1
        return true
    }

    /// Days from 1970-01-01 to the first of a month, in the proleptic Gregorian calendar.
    private static func days(_ year: Int, _ month: Int) -> Int {
        // The year begins in March, so that the leap day is its last, and 400 years later, so that none is negative.
        let shifted = (month <= 2 ? year - 1 : year) + 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5
        return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468 - 146_097
    }
}
