// SPDX-License-Identifier: Apache-2.0
// The table of pauses between two visits of a tag.

import Lifecycle
import Testing

@testable import Onboarding

@Suite struct NextVisitTests {
    private static let cases: [(name: String, outcome: VisitOutcome, failures: Int, pause: Duration)] = [
        ("a count that agrees", .agreed, 0, .seconds(7200)),
        ("a list", .listed(ListedTag()), 0, .seconds(7200)),
        ("a tag that is not quiet", .notQuiet, 0, .seconds(600)),
        ("the first failure", .failed, 0, .seconds(30)),
        ("the third failure", .failed, 2, .seconds(120)),
        ("many failures", .failed, 40, .seconds(7200)),
        ("no witness", .unproven, 1, .seconds(60)),
        ("calls held back", .heldBack, 0, .seconds(60)),
        ("a list with new strays", .listed(Self.list { $0.hasNewStrays = true }), 0, .seconds(41)),
        ("a list whose calls ran out", .listed(Self.list { $0.isUnfinished = true }), 0, .zero),
        ("two totals that nothing explains", .listed(Self.list { $0.miscounts = 2 }), 0, .seconds(7200)),
        ("three totals that nothing explains", .listed(Self.list { $0.miscounts = 3 }), 0, .seconds(86_400)),
    ]

    @Test(arguments: cases.indices)
    func `a tag is visited again by what its last visit has come to`(_ number: Int) {
        let given = Self.cases[number]
        let pause = Self.next(0.5).delay(after: given.outcome, failures: given.failures)
        #expect(pause == given.pause, "\(given.name)")
    }

    @Test func `visits are spread by a quarter of their pause`() {
        #expect(Self.next(0).delay(after: .agreed, failures: 0) == .seconds(5400))
        #expect(Self.next(1).delay(after: .agreed, failures: 0) == .seconds(9000))
    }

    private static func next(_ random: Double) -> NextVisit {
        NextVisit(period: .seconds(7200), landingTime: .seconds(40), random: random)
    }

    private static func list(_ change: (inout ListedTag) -> Void) -> ListedTag {
        var tag = ListedTag()
        change(&tag)
        return tag
    }
}
