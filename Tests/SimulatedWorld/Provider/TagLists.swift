// SPDX-License-Identifier: Apache-2.0
// How the simulated provider lists and counts one tag: pages that shift or are cut, totals that are not true.

extension Simulation {
    /// Lists one tag whole, as far as its pages tell.
    mutating func listTag(_ shard: Int) -> Page {
        let (isShifted, isCut) = (!self.isPeace && self.dice.chance(5), !self.isPeace && self.dice.chance(5))
        return self.provider.listTag(shard, now: self.now, shift: isShifted, cut: isCut)
    }

    /// Asks for a page of one at a random place, and for the total.
    mutating func count(_ shard: Int) -> Page {
        var page = self.provider.listTag(shard, now: self.now, shift: false, cut: false)
        page.shown = page.shown.isEmpty ? [] : [page.shown[self.dice.upTo(page.shown.count)]]
        return page
    }
}

/// What an account does to every list of a tag, as long as it lives.
enum Habit: CaseIterable {
    case none
    /// The filter by tag is not heeded.
    case ignoresFilter
    /// The total is missing, zero, never above one, one too high, or one too low.
    case noTotal, zeroTotal, cappedTotal, highTotal, lowTotal

    func total(of number: Int) -> Int? {
        switch self {
        case .none, .ignoresFilter: number
        case .noTotal: nil
        case .zeroTotal: 0
        case .cappedTotal: min(1, number)
        case .highTotal: number + 1
        case .lowTotal: max(0, number - 1)
        }
    }
}
