// SPDX-License-Identifier: Apache-2.0
// When a tag is visited next, by what its last visit has come to.

/// What a visit has come to.
package enum VisitOutcome: Sendable, Equatable {
    /// Jobs or young rows are at work in the tag, so that no count could agree. No call was made.
    case notQuiet
    /// The count agreed.
    case agreed
    /// The whole tag was listed, and what could be done is done.
    case listed(ListedTag)
    /// A call failed, or the list was not whole.
    case failed
    /// Nothing says that this is the account of the ledger.
    case unproven
    /// Calls of the sweep are held back. This says nothing of the tag.
    case heldBack
}

/// What a whole list leaves to be written about its tag.
package struct ListedTag: Sendable, Equatable {
    /// Credentials that count towards the tag: those of the list, without other tenants'.
    package var held = 0
    /// The provider's total less ours; nil where it may not be written, because the tag is not quiet or the filter is
    /// not exact.
    package var others: Int?
    /// Whole lists in a row that explain no total.
    package var miscounts = 0
    /// Whether the filter has shown what it should not. Then nothing is counted.
    package var isInexact = false
    /// Whether it showed names that no worker may have in its memory yet. Until then creates of the tenant look first.
    package var hasNewStrays = false
    /// Whether calls ran out before everything was asked for, or a user's generation had to be corrected.
    package var isUnfinished = false
    /// What a visit would have taken away, and did not; nil: nothing.
    package var wouldChange: Int?

    package init() {}

    /// Whether all that it showed was dealt with, so that the tag may count as seen.
    package var isDealtWith: Bool { !self.hasNewStrays && !self.isUnfinished }
}

/// The table of pauses. `period` is the time from one visit of a quiet tag to the next.
package struct NextVisit: Sendable {
    let period: Duration
    /// How long it takes until a list shows what was made.
    let landingTime: Duration
    /// A random number in 0..<1, for the spread.
    let random: Double

    package init(period: Duration, landingTime: Duration, random: Double) {
        self.period = period
        self.landingTime = landingTime
        self.random = random
    }

    /// How old the names of strays may be in a worker's memory.
    package static let oldestNames: Duration = .seconds(30)
    /// After this long a tag that is never quiet is listed: an hour, or less where visits are closer.
    package static func longestBusy(_ period: Duration) -> Duration { min(.seconds(3600), period * 6) }
    /// So many whole lists in a row that explain no total make the lists daily.
    package static let toleratedMiscounts = 3

    /// `failures`: visits that failed in a row before this one.
    package func delay(after outcome: VisitOutcome, failures: Int) -> Duration {
        switch outcome {
        case .notQuiet: self.spread(min(.seconds(600), self.period))
        case .agreed: self.spread(self.period)
        case .listed(let tag): self.delay(after: tag)
        case .failed, .unproven: min(self.spread(.seconds(30 << min(failures, 16))), self.longestPause)
        case .heldBack: self.spread(.seconds(60))
        }
    }

    private func delay(after tag: ListedTag) -> Duration {
        if tag.isUnfinished { return .zero }
        // By then what was unknown is in the memory of every worker.
        if tag.hasNewStrays { return max(self.landingTime, Self.oldestNames) + .seconds(1) }
        if tag.miscounts >= Self.toleratedMiscounts { return self.spread(.seconds(86_400)) }
        return self.spread(self.period)
    }

    private var longestPause: Duration { max(.seconds(30), self.period) }

    /// A quarter more or less, so that visits do not come together.
    private func spread(_ pause: Duration) -> Duration { pause * (0.75 + self.random / 2) }
}
