// SPDX-License-Identifier: Apache-2.0
// The pace of the sweep: five calls a second for all nodes together, however much there is to do.

/// What a worker's sweep makes a call for, from the most urgent to the least. All of it can wait.
package enum SweepTurn: Sendable, CaseIterable {
    /// A name in doubt is looked up.
    case doubts
    /// A tag is visited.
    case visits
    /// A page of the account is walked.
    case walk

    /// The kind in whose place it stands in the sweep's own scope. Doubts go first there, as login tokens do elsewhere.
    var place: CallKind {
        switch self {
        case .doubts: .tokens
        case .visits: .creates
        case .walk: .sweep
        }
    }
}

extension BudgetScope {
    /// The sweep's own scope. It is there without a rate of the account too.
    static func sweep(rate: Double) -> BudgetScope { BudgetScope(key: "sweep", rate: rate, pace: .zero) }
}

extension ProviderLimits {
    /// Returns when it is this call's turn. The call then takes a permit like any other.
    ///
    /// When the database cannot say, doubts go at once and the others come again in a second. Cancelled here: returns at
    /// once.
    package func wait(for turn: SweepTurn) async {
        while !Task.isCancelled {
            let scope = BudgetScope.sweep(rate: self.sweepRate)
            let answer = await self.budget.permit(turn.place, from: scope, patience: .seconds(60))
            guard case .wait(let wait) = answer else { return }
            try? await Task.sleep(for: wait)
        }
    }
}
