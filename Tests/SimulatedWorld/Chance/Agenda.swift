// SPDX-License-Identifier: Apache-2.0
// The occurrences that are still to come in a simulated life, as a heap.

/// Occurrences in the order of their time. Occurrences of the same time happen in the order in which they were added.
struct Agenda {
    private var items: [(time: Int, serial: Int, occurrence: Occurrence)] = []
    private var serial = 0

    mutating func push(_ time: Int, _ occurrence: Occurrence) {
        self.serial += 1
        self.items.append((time, self.serial, occurrence))
        var child = self.items.count - 1
        while child > 0, self.isBefore(child, (child - 1) / 2) {
            self.items.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func pop() -> (Int, Occurrence)? {
        guard let first = self.items.first else { return nil }
        let last = self.items.removeLast()
        if !self.items.isEmpty {
            self.items[0] = last
            var parent = 0
            while true {
                var least = parent
                for child in [2 * parent + 1, 2 * parent + 2]
                where child < self.items.count && self.isBefore(child, least) { least = child }
                if least == parent { break }
                self.items.swapAt(parent, least)
                parent = least
            }
        }
        return (first.time, first.occurrence)
    }

    private func isBefore(_ lhs: Int, _ rhs: Int) -> Bool {
        (self.items[lhs].time, self.items[lhs].serial) < (self.items[rhs].time, self.items[rhs].serial)
    }
}
