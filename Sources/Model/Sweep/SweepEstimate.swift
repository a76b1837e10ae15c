// SPDX-License-Identifier: Apache-2.0
// What a sweep will cost, by what the ledger has.

/// The cost of one run.
package struct SweepEstimate: Sendable, Equatable {
    package var tags: Int
    /// Calls to the provider, without questions by id and deletes.
    package var calls: Int
    package var time: Duration

    package init(tags: Int = 0, calls: Int = 0, time: Duration = .zero) {
        self.tags = tags
        self.calls = calls
        self.time = time
    }

    /// For the operator, before the run.
    package var line: String {
        let tags = self.tags == 1 ? "1 tag" : "\(self.tags) tags"
        return "dialtone: \(tags), about \(self.calls) calls, at least \(self.time.components.seconds + 1) s"
    }
}
