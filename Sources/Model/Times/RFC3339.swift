// SPDX-License-Identifier: Apache-2.0
// Reads times as senders and the provider write them: RFC 3339, and leniently without a zone.

package import Foundation

package enum RFC3339 {
    /// Reads "2026-01-01T00:00:00Z", "….123456Z", "…+01:00", and a space for the T. A time without a zone is UTC when
    /// `assumesUTC` is true. Returns nil for any other text.
    package static func date(_ text: String, assumesUTC: Bool = false) -> Date? {
        let bytes = Array(text.utf8)
        guard (19...40).contains(bytes.count), bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
            [UInt8(ascii: "T"), UInt8(ascii: "t"), UInt8(ascii: " ")].contains(bytes[10]),
            bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"),
            let year = self.number(bytes[0..<4]), let month = self.number(bytes[5..<7]),
            let day = self.number(bytes[8..<10]),
            let hour = self.number(bytes[11..<13]), let minute = self.number(bytes[14..<16]),
            let second = self.number(bytes[17..<19]), (1...12).contains(month), (1...31).contains(day), hour < 24,
            minute < 60, second <= 60
        else { return nil }
        var rest = bytes[19...]
        var fraction = 0.0
        if rest.first == UInt8(ascii: ".") {
            let digits = rest.dropFirst().prefix { (0x30...0x39).contains($0) }
            guard !digits.isEmpty else { return nil }
            fraction = Double("0.\(String(decoding: digits, as: UTF8.self))") ?? 0
            rest = rest[digits.endIndex...]
        }
        if rest.isEmpty && !assumesUTC { return nil }
        guard let offset = self.offset(rest) else { return nil }
        let seconds = self.days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset
        return Date(timeIntervalSince1970: Double(seconds) + fraction)
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        var number = 0
        for digit in digits {
            guard (0x30...0x39).contains(digit) else { return nil }
            number = number * 10 + Int(digit - 0x30)
        }
        return number
    }

    /// Returns seconds east of UTC for "", "Z", "+01:00" or "-0800".
    private static func offset(_ zone: ArraySlice<UInt8>) -> Int? {
        guard let first = zone.first else { return 0 }
        if first == UInt8(ascii: "Z") || first == UInt8(ascii: "z") { return zone.count == 1 ? 0 : nil }
        let digits = zone.dropFirst().filter { $0 != UInt8(ascii: ":") }
        guard first == UInt8(ascii: "+") || first == UInt8(ascii: "-"), digits.count == 4,
            let number = self.number(digits[...])
        else { return nil }
        let seconds = (number / 100) * 3600 + (number % 100) * 60
        return first == UInt8(ascii: "+") ? seconds : -seconds
    }

    /// Days since 1970-01-01 in the proleptic Gregorian calendar.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
