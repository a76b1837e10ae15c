// SPDX-License-Identifier: Apache-2.0
// The memory that all bodies under way may take together, so that slow senders cannot fill the process.

import Synchronization

/// A count of bytes for the whole process. A body that arrives in one read is never counted.
final class BodyBudget: Sendable {
    private let maximum: Int
    private let held = Atomic<Int>(0)

    /// `maximum` is in bytes.
    init(maximum: Int) { self.maximum = maximum }

    private func take(_ bytes: Int) -> Bool {
        if self.held.wrappingAdd(bytes, ordering: .relaxed).newValue <= self.maximum { return true }
        self.give(bytes)
        return false
    }

    private func give(_ bytes: Int) { self.held.wrappingSubtract(bytes, ordering: .relaxed) }

    /// What one body holds of the budget. Its owner must `release()` it.
    struct Hold {
        /// Bytes of each body that do not count. A connection costs as much anyway, and nearly every body is shorter.
        private static let free = 4096

        private let budget: BodyBudget
        private var counted = 0

        init(_ budget: BodyBudget) { self.budget = budget }

        /// Returns whether a buffer of this capacity in bytes may be kept. When not, nothing changes.
        mutating func covers(_ capacity: Int) -> Bool {
            let more = capacity - Self.free - self.counted
            guard more > 0 else { return true }
            guard self.budget.take(more) else { return false }
            self.counted += more
            return true
        }

        mutating func release() {
            guard self.counted > 0 else { return }
            self.budget.give(self.counted)
            self.counted = 0
        }
    }
}
