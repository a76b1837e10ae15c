// SPDX-License-Identifier: Apache-2.0
// Bodies under way share a number of bytes; the first of each are free, and what is given back can be taken again.

import Testing

@testable import Web

@Suite struct BodyBudgetTests {
    @Test func `bodies that grow share the budget, and small ones need none`() {
        let budget = BodyBudget(maximum: 10_000)
        var (first, second, small) = (BodyBudget.Hold(budget), BodyBudget.Hold(budget), BodyBudget.Hold(budget))
        let grows = [first.covers(8192), first.covers(12_288), first.covers(12_288)]
        #expect(grows == [true, true, true])
        let others = [second.covers(8192), small.covers(4096)]
        #expect(others == [false, true])
        first.release()
        let again = second.covers(14_096)
        #expect(again)
        let more = second.covers(14_097)
        #expect(!more)
    }
}
