// SPDX-License-Identifier: Apache-2.0
// Repeatable chance, and occurrences in their order: all that a seed decides comes from here.

/// Repeatable randomness (SplitMix64).
struct Dice: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { self.state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var z = self.state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func upTo(_ limit: Int) -> Int { Int(self.next() % UInt64(max(1, limit))) }
    mutating func chance(_ percent: Int) -> Bool { self.upTo(100) < percent }
}

/// Occurrences in the order of their time, then of their making.
struct Heap {
    private var items: [(time: Int, serial: Int, what: Occurrence)] = []
    private var serial = 0

    mutating func push(_ time: Int, _ what: Occurrence) {
        self.serial += 1
        self.items.append((time, self.serial, what))
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
        return (first.time, first.what)
    }

    private func isBefore(_ lhs: Int, _ rhs: Int) -> Bool {
        (self.items[lhs].time, self.items[lhs].serial) < (self.items[rhs].time, self.items[rhs].serial)
    }
}
