// SPDX-License-Identifier: Apache-2.0
// A budget that calls come out of: whose it is, and how many calls a second it has.

/// A scope with a rate. Without one there is no budget, and nobody asks for permits.
struct BudgetScope: Sendable, Equatable {
    /// `account`, `connection:<id>`, `told:<limit>`, the row of a kind, or `sweep`.
    let key: String
    /// Calls per second, for all nodes together.
    let rate: Double

    /// The shortest time from one request for calls to the next. It saves requests, not calls: tokens do not heed it.
    let pace: Duration

    init(key: String, rate: Double, pace: Duration? = nil) {
        self.key = key
        self.rate = rate
        self.pace = pace ?? .seconds(min(max(1.25 / rate, 0.025), 2.5))
    }
}

extension KnownLimits {
    /// A rate that the provider has told.
    struct Learned: Sendable {
        var rate: Double
        /// The limit in the headers. Kinds that are told the same one share a budget. Nil: no header told any.
        var limit: Int32?
    }

    /// The budget that calls of this kind come out of; nil when there is none.
    ///
    /// A rate that an operator has set is the account's, and wins over what the provider tells.
    func budget(of kind: CallKind) -> BudgetScope? {
        if let rate = self.rates[LimitScope.account.key] {
            return BudgetScope(key: LimitScope.account.key, rate: rate)
        }
        guard let own = self.learned[kind.learnedKey] else { return nil }
        guard let limit = own.limit else { return BudgetScope(key: kind.learnedKey, rate: own.rate) }
        let alike = self.learned.values.filter { $0.limit == limit }.map(\.rate)
        return BudgetScope(key: "told:\(limit)", rate: alike.min() ?? own.rate)
    }
}
