// SPDX-License-Identifier: Apache-2.0
// Times are read as libraries write them, and a day or a second that does not exist is refused.

import Foundation
import Testing

@testable import Model

@Suite struct RFC3339Tests {
    /// 2026-11-26T10:00:00Z.
    private static let ten = 1_795_687_200.0

    private static let readable: [(String, Double)] = [
        ("2026-11-26T10:00:00Z", ten), ("2026-11-26t10:00:00z", ten), ("2026-11-26 10:00:00Z", ten),
        // No seconds: ISO 8601, and Java where they are zero.
        ("2026-11-26T10:00Z", ten), ("2026-11-26T10:00+00:00", ten), ("2026-11-26 10:00+00", ten),
        // PostgreSQL's zones, and those of RFC 3339 and ISO 8601.
        ("2026-11-26 10:00:00+00", ten), ("2026-11-26T10:00:00+0000", ten),
        ("2026-11-26T10:00:00+00:00", ten), ("2026-11-26T10:00:00-00:00", ten),
        ("2026-11-26T11:00:00+01:00", ten), ("2026-11-26T15:45:00+0545", ten),
        ("2026-11-26 02:00:00-08", ten), ("2026-11-25T22:30:00-11:30", ten),
        ("2026-11-27T00:00:00+14:00", ten),
        // Ruby's.
        ("2026-11-26 10:00:00 UTC", ten), ("2026-11-26 11:00:00 +0100", ten),
        // Fractions of any length, after a point or a comma.
        ("2026-11-26T10:00:00.5Z", ten + 0.5), ("2026-11-26T10:00:00,5Z", ten + 0.5),
        ("2026-11-26T10:00:00.000Z", ten), ("2026-11-26 10:00:00.250000+00", ten + 0.25),
        ("2026-11-26T10:00:00.125000000Z", ten + 0.125), ("2026-11-26T10:00:00.1250000000009Z", ten + 0.125),
        ("2026-11-26T10:00:00.123456Z", ten + 0.123456),
        // The end of a day.
        ("2026-11-25T24:00:00Z", ten - 36_000), ("2026-11-25T24:00Z", ten - 36_000),
        ("2026-12-31T24:00:00.000Z", 1_798_761_600),
        // A leap second counts like the midnight after it, in every zone.
        ("2016-12-31T23:59:60Z", 1_483_228_800), ("2015-06-30T23:59:60Z", 1_435_708_800),
        ("1990-12-31T15:59:60-08:00", 662_688_000), ("2017-01-01T08:59:60+09:00", 1_483_228_800),
        // Leap days, and the ends of the calendar.
        ("2024-02-29T00:00:00Z", 1_709_164_800), ("2000-02-29T00:00:00Z", 951_782_400),
        ("1970-01-01T00:00:00Z", 0), ("1969-12-31T23:59:59Z", -1), ("0001-01-01T00:00:00Z", -62_135_596_800),
        ("0000-01-01T00:00:00Z", -62_167_219_200), ("9999-12-31T23:59:59Z", 253_402_300_799),
    ]

    @Test(arguments: Self.readable)
    func `a readable time is read`(text: String, seconds: Double) throws {
        let date = try #require(RFC3339.date(text), "\(text)")
        #expect(abs(date.timeIntervalSince1970 - seconds) < 1e-6, "\(text)")
    }

    @Test(arguments: [
        // Days that do not exist.
        "2026-02-30T00:00:00Z", "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-04-31T00:00:00Z",
        "2026-11-31T10:00:00Z", "2026-12-32T00:00:00Z", "2026-00-10T00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-11-00T00:00:00Z", "0000-00-00T00:00:00Z",
        // Hours, minutes and seconds that do not exist.
        "2026-11-26T25:00:00Z", "2026-11-26T24:00:01Z", "2026-11-26T24:01:00Z", "2026-11-26T24:00:00.1Z",
        "2026-11-26T10:60:00Z", "2026-11-26T10:00:61Z", "2026-11-26T10:00:60Z", "2026-11-26T23:59:60Z",
        "2026-12-31T23:59:60+01:00", "2026-12-31T23:58:60Z",
        // Zones that do not exist.
        "2026-11-26T10:00:00+24:00", "2026-11-26T10:00:00+01:60", "2026-11-26T10:00:00+1", "2026-11-26T10:00:00+010",
        "2026-11-26T10:00:00+01:", "2026-11-26T10:00:00+01:0", "2026-11-26T10:00:00+01:00:00", "2026-11-26T10:00:00+",
        "2026-11-26T10:00:00ZZ", "2026-11-26T10:00:00Z+00", "2026-11-26T10:00:00 ", "2026-11-26T10:00:00PST",
        "2026-11-26T10:00:00U", "2026-11-26T10:00:00+01:00[Europe/Paris]",
        // Parts that are missing, too many or too short.
        "", "2026", "2026-11-26", "2026-11-26T", "2026-11-26T10Z", "2026-11-26T10:Z", "2026-11-26T10:00:Z",
        "2026-11-26T10:00:0Z", "2026-11-26T10:00.5Z", "2026-11-26T10:00:00.Z", "2026-11-26T10:00:00.+00:00",
        "2026-1-26T10:00:00Z", "26-11-26T10:00:00Z", "+002026-11-26T10:00:00Z", "-2026-11-26T10:00:00Z",
        "2026-11-26T10:00:00.\(String(repeating: "1", count: 60))Z",
        // Other forms.
        "20261126T100000Z", "2026-330T10:00:00Z", "2026-W48-4T10:00:00Z", "2026/11/26 10:00:00Z",
        "2026-11-26_10:00:00Z", "2026-11-26  10:00:00Z", " 2026-11-26T10:00:00Z", "2026-11-26T10:00:00Z\n",
        "Thu, 26 Nov 2026 10:00:00 GMT", "1795687200", "1795687200000", "infinity", "now", "yesterday",
        "２０２６-11-26T10:00:00Z", "2026-11-26T10:00:00\u{2212}01:00",
    ])
    func `a text that is no time is refused, with or without a zone assumed`(text: String) {
        #expect(RFC3339.date(text) == nil)
        #expect(RFC3339.date(text, assumesUTC: true) == nil)
    }

    @Test(arguments: [
        "2026-11-26T10:00:00", "2026-11-26 10:00:00", "2026-11-26T10:00", "2026-11-26 10:00:00.000000",
    ])
    func `a time without a zone is UTC only where somebody says so`(text: String) {
        #expect(RFC3339.date(text) == nil)
        #expect(RFC3339.date(text, assumesUTC: true) == Date(timeIntervalSince1970: Self.ten))
    }
}
