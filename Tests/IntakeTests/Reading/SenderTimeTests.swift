// SPDX-License-Identifier: Apache-2.0
// A time that was never set is no time, so that it makes no delete older than its sign-up.

import Foundation
import Model
import Testing

@testable import Intake

@Suite struct SenderTimeTests {
    /// Go's zero time, PostgreSQL's and Java's earliest, a Unix time of 0 in several zones, and times before it.
    @Test(arguments: [
        "0001-01-01T00:00:00Z", "0001-01-01 00:00:00+00", "0000-01-01T00:00:00Z", "1900-01-01T00:00:00Z",
        "1969-12-31T23:59:59.999Z", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z", "1970-01-01T01:00:00+01:00",
        "1969-12-31T19:00:00-05:00",
    ])
    func `a time that was never set is no time`(text: String) throws {
        #expect(try SenderTime.read(text, at: "timestamp") == nil)
        let body = "{\"type\":\"user.deleted\",\"timestamp\":\"\(text)\",\"data\":{\"user_id\":\"u\"}}"
        guard case .changes(_, .gone, nil) = try CanonicalEvent.read(Array(body.utf8)) else {
            Issue.record("\(text) is taken as a time")
            return
        }
    }

    @Test func `any later time is one`() throws {
        let first = try SenderTime.read("1970-01-01T00:00:01Z", at: "timestamp")
        #expect(first == Date(timeIntervalSince1970: 1))
        let zoneless = try SenderTime.read("2026-11-26 10:00:00", at: "timestamp", assumesUTC: true)
        #expect(zoneless == Date(timeIntervalSince1970: 1_795_687_200))
    }

    @Test(arguments: ["", "never", "2026-02-30T00:00:00Z", "0000-00-00T00:00:00Z", "2026-11-26T10:00:00"])
    func `a day that does not exist, and a time that cannot be read, are refused by their place`(text: String) {
        let error = #expect(throws: InvalidValue.self) { try SenderTime.read(text, at: "data.at") }
        #expect(error?.field == "data.at")
        #expect(error?.reason.contains("2026-11") == false)
    }
}
