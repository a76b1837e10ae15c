// SPDX-License-Identifier: Apache-2.0
// A duration is an interval of microseconds and days, written without rounding up and read without months.

import TestSupport
import Testing

@testable import Postgres

@Suite struct DurationTests {
    // MARK: Bytes

    @Test(arguments: [
        Duration.zero, .microseconds(1), .milliseconds(1500), .seconds(86_400), .seconds(34_560_000),
        .microseconds(-1), .milliseconds(-1500), .seconds(-34_560_000),
    ])
    func `a duration of whole microseconds is read as it was written`(duration: Duration) {
        #expect(decoded(encoded(duration)) == duration)
    }

    @Test func `a duration is written as microseconds without days and months`() {
        let second: [UInt8] = [0, 0, 0, 0, 0, 0x0F, 0x42, 0x40, 0, 0, 0, 0, 0, 0, 0, 0]
        #expect(encoded(.seconds(1)) == second)
        #expect(encoded(.seconds(86_400)) == interval(microseconds: 86_400_000_000))
    }

    @Test func `a negative duration is written in two's complement`() {
        let minusOne: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0]
        #expect(encoded(.microseconds(-1)) == minusOne)
        #expect(encoded(.milliseconds(-1500)) == interval(microseconds: -1_500_000))
    }

    @Test func `a fraction of a microsecond is cut off towards zero`() {
        #expect(encoded(.nanoseconds(999)) == interval(microseconds: 0))
        #expect(encoded(.nanoseconds(-999)) == interval(microseconds: 0))
        #expect(encoded(.nanoseconds(1_999)) == interval(microseconds: 1))
        #expect(encoded(.nanoseconds(-1_999)) == interval(microseconds: -1))
        #expect(encoded(.nanoseconds(-1_000_000_999)) == interval(microseconds: -1_000_000))
    }

    /// An interval holds 292,000 years of microseconds, and a duration holds more.
    @Test func `a duration too long for an interval is cut to 9,000,000,000,000 seconds`() {
        #expect(decoded(encoded(.seconds(Int64.max))) == Duration.seconds(9_000_000_000_000))
        #expect(decoded(encoded(.seconds(Int64.min))) == Duration.seconds(-9_000_000_000_000))
    }

    @Test func `a day of an interval is read as 24 hours`() {
        let threeHours: Int64 = 10_800_000_000
        #expect(decoded(interval(microseconds: threeHours, days: 2)) == Duration.seconds(183_600))
        #expect(decoded(interval(microseconds: -threeHours, days: -2)) == Duration.seconds(-183_600))
        #expect(decoded(interval(microseconds: threeHours, days: -2)) == Duration.seconds(-162_000))
    }

    @Test func `an interval with months is not read`() {
        #expect(decoded(interval(microseconds: 0, months: 1)) == nil)
        #expect(decoded(interval(microseconds: 0, days: -30, months: 1)) == nil)
    }

    @Test(arguments: [0, 8, 15, 17])
    func `bytes of another length than an interval's are not read`(count: Int) {
        #expect(decoded([UInt8](repeating: 0, count: count)) == nil)
    }

    @Test func `an array of durations keeps its nulls`() {
        let durations: [Duration?] = [.milliseconds(1500), nil, .microseconds(-1)]
        var bytes: [UInt8] = []
        let isPresent = durations.encode(into: &bytes)
        let received = bytes.withUnsafeBytes { buffer in
            [Duration?](postgresBytes: buffer, type: .intervalArray)
        }
        #expect(isPresent)
        #expect(received == durations)
    }

    // MARK: On a server

    @Test func `a duration comes back from the server as it was sent`() async throws {
        try await TestDatabase.with(isEmpty: true) { database in
            let row = try await database.pool.query(
                """
                select \(Duration.milliseconds(1500)), \(Duration.microseconds(-1)), \(nil as Duration?),
                       \(Duration.milliseconds(1500)) = interval '1.5 seconds'
                """
            ).first
            let values = try #require(row).columns
            var columns = values
            #expect(try columns.next(Duration.self) == .milliseconds(1500))
            #expect(try columns.next(Duration.self) == .microseconds(-1))
            #expect(try columns.next(Duration?.self) == nil)
            #expect(try columns.next(Bool.self), "the server read another value than was sent")
        }
    }

    @Test func `the difference of two timestamps is read with its days`() async throws {
        try await TestDatabase.with(isEmpty: true) { database in
            let row = try await database.pool.query(
                """
                select (later - earlier)::text, later - earlier, earlier - later
                from (values (timestamptz '2026-11-28 03:00:00Z', timestamptz '2026-11-26 00:00:00Z'))
                     as moment (later, earlier)
                """
            ).first
            let values = try #require(row).columns
            var columns = values
            #expect(try columns.next(String.self) == "2 days 03:00:00", "the server does not count in days")
            #expect(try columns.next(Duration.self) == .seconds(183_600))
            #expect(try columns.next(Duration.self) == .seconds(-183_600))
        }
    }

    @Test func `a column with months is refused as undecodable`() async throws {
        try await TestDatabase.with(isEmpty: true) { database in
            let row = try await database.pool.query("select interval '1 month'").first
            let month = try #require(row)
            let error = #expect(throws: PostgresError.self) { _ = try month.decode(Duration.self) }
            #expect(error?.code == .decoding)
        }
    }

    @Test func `the server reads an array of durations with a null in it`() async throws {
        try await TestDatabase.with(isEmpty: true) { database in
            let durations: [Duration?] = [.milliseconds(1500), nil, .microseconds(-1)]
            let rows = try await database.pool.query(
                """
                select duration from unnest(\(durations)) with ordinality as sent (duration, place) order by place
                """)
            var received: [Duration?] = []
            for row in rows { received.append(try row.decode(Duration?.self)) }
            #expect(received == durations)
        }
    }

    // MARK: Both ways

    private func encoded(_ duration: Duration) -> [UInt8] {
        var bytes: [UInt8] = []
        _ = duration.encode(into: &bytes)
        return bytes
    }

    private func decoded(_ bytes: [UInt8]) -> Duration? {
        bytes.withUnsafeBytes { Duration(postgresBytes: $0, type: .interval) }
    }

    /// An interval's bytes as interval_send in the server's timestamp.c writes them: microseconds, days, months.
    private func interval(microseconds: Int64, days: Int32 = 0, months: Int32 = 0) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(bigEndian: microseconds)
        bytes.append(bigEndian: days)
        bytes.append(bigEndian: months)
        return bytes
    }
}
