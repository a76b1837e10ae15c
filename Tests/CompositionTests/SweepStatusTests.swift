// SPDX-License-Identifier: Apache-2.0
// An operator reads in a few lines how far the comparison with the provider is.

import Foundation
import Testing

@testable import Composition

@Suite struct SweepStatusTests {
    @Test func `a quiet installation has three lines`() {
        var status = SweepStatus()
        status.tags = 3
        #expect(
            status.lines == ["tags: 3", "names in doubt that are followed: 0", "walk over the account: page 1"])
    }

    @Test func `what is late, fails or waits for an operator has a line each, of 80 columns at most`() {
        var status = SweepStatus()
        (status.tags, status.unseen, status.late, status.latest_by_seconds) = (1_000_000, 999_999, 888_888, 7_199)
        (status.failing, status.doubts, status.strays, status.page, status.pages) = (77, 66, 55, 4_000, 4_001)
        status.waiting = (0..<22).map { SweepStatus.WaitingTag(tag: "acme.\($0)", changes: 980) }
        status.needs_confirmation = true
        #expect(status.lines.contains("late: 888888, the longest by 119 min"))
        #expect(status.lines.contains("waits for you: acme.0, where 980 would change"))
        #expect(status.lines.contains("… and 2 tags more"))
        #expect(status.lines.allSatisfy { $0.count <= 80 })
    }

    /// Each case is the rest in seconds, whether there is no witness, and the line.
    private static let rests: [(seconds: Int?, isWithoutWitness: Bool, line: String?)] = [
        (nil, false, nil),
        (7_199, false, "visits rest for 119 min: see dialtone limit list"),
        (119, true, "visits rest for 119 s: no known credential answers (no witness)"),
        (nil, true, "at the last visits no known credential answers (no witness)"),
    ]

    @Test(arguments: rests.indices)
    func `a rest of the visits and a missing witness are in one line, and in the JSON`(_ number: Int) throws {
        let given = Self.rests[number]
        var status = SweepStatus()
        (status.rests_for_seconds, status.no_witness) = (given.seconds, given.isWithoutWitness)
        let line = status.lines.first { $0.contains("visits") }
        #expect(line == given.line && (line?.count ?? 0) <= 80)
        let json = String(decoding: try JSONEncoder().encode(status), as: UTF8.self)
        #expect(json.contains("\"no_witness\":\(given.isWithoutWitness)"))
        #expect(json.contains("\"rests_for_seconds\":\(given.seconds.map { "\($0)" } ?? "null")"))
    }
}
