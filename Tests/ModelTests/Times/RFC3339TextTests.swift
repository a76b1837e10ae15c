// SPDX-License-Identifier: Apache-2.0
// Every time has one form: RFC 3339 in UTC, with exactly three digits of the second's fraction.

import Foundation
import Testing

@testable import Model

@Suite struct RFC3339TextTests {
    @Test(arguments: [
        (0.0, "1970-01-01T00:00:00.000Z"), (1_800_000_000.0, "2027-01-15T08:00:00.000Z"),
        (1_764_153_821.123, "2025-11-26T10:43:41.123Z"), (1_764_153_821.123_999, "2025-11-26T10:43:41.123Z"),
        (1_764_153_821.999_999, "2025-11-26T10:43:41.999Z"), (951_782_400.5, "2000-02-29T00:00:00.500Z"),
        (-0.001, "1969-12-31T23:59:59.999Z"), (-62_135_596_800.0, "0001-01-01T00:00:00.000Z"),
        (-1e18, "0001-01-01T00:00:00.000Z"), (1e18, "9999-12-31T23:59:59.999Z"),
    ])
    func `a time is written in one form`(seconds: Double, text: String) {
        #expect(RFC3339.text(Date(timeIntervalSince1970: seconds)) == text)
    }

    @Test func `each millisecond is written as itself and read back`() {
        for millisecond in 0..<1000 {
            let date = Date(timeIntervalSince1970: 1_764_153_821 + Double(millisecond) / 1000)
            let text = RFC3339.text(date)
            #expect(text.hasSuffix(".\(String("00\(millisecond)".suffix(3)))Z"))
            let read = RFC3339.date(text)
            #expect(read.map { abs($0.timeIntervalSince(date)) < 0.000_01 } == true, "\(text)")
        }
    }

    @Test func `every day of four centuries is written as itself and read back`() {
        for day in stride(from: 0, to: 146_097, by: 7) {
            let date = Date(timeIntervalSince1970: Double(day) * 86_400)
            #expect(RFC3339.date(RFC3339.text(date)) == date)
        }
    }
}
