// SPDX-License-Identifier: Apache-2.0
// The two metrics that are one number: a counter only grows, and a gauge is set.

import Synchronization

/// Counts what happened. One relaxed atomic addition for each.
package final class Counter: Sendable {
    private let count = Atomic(0)

    package init() {}

    package func add(_ amount: Int = 1) { self.count.add(amount, ordering: .relaxed) }

    package var value: Int { self.count.load(ordering: .relaxed) }
}

/// Holds how things stand. NaN means that nobody knows.
package final class Gauge: Sendable {
    private let bits = Atomic<UInt64>(0)

    package init() {}

    package func set(_ value: Double) { self.bits.store(value.bitPattern, ordering: .relaxed) }

    package var value: Double { Double(bitPattern: self.bits.load(ordering: .relaxed)) }
}
