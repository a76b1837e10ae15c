// SPDX-License-Identifier: Apache-2.0
// Dates as the vendor writes and reads them.

import Foundation

enum VendorDate {
    /// Reads a date with or without a zone and fractions of a second. A date without a zone is UTC.
    static func read(_ text: String) -> Date? {
        var text = text
        if !text.hasSuffix("Z") && !text.contains("+") { text += "Z" }
        return try? Date.ISO8601FormatStyle(includingFractionalSeconds: text.contains(".")).parse(text)
    }

    /// Returns "2020-06-18T21:32:38": UTC, without a zone that says so.
    static func plain(_ date: Date) -> String {
        let seconds = Int(date.timeIntervalSince1970.rounded(.down))
        let days = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
        let rest = seconds - days * 86_400
        let (year, month, day) = self.civil(days)
        return "\(self.pad(year, 4))-\(self.pad(month))-\(self.pad(day))"
            + "T\(self.pad(rest / 3600)):\(self.pad(rest / 60 % 60)):\(self.pad(rest % 60))"
    }

    private static func pad(_ number: Int, _ width: Int = 2) -> String {
        let text = "\(number)"
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }

    /// Returns year, month and day of a count of days since 1970-01-01, in the Gregorian calendar.
    private static func civil(_ days: Int) -> (Int, Int, Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let part = (5 * dayOfYear + 2) / 153
        let month = part < 10 ? part + 3 : part - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * part + 2) / 5 + 1)
    }
}
