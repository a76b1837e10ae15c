// SPDX-License-Identifier: Apache-2.0
// Repeatable chance: whatever a seed decides, it decides through these dice.

/// Repeatable random numbers (SplitMix64).
///
/// The order of the throws is part of a life. A throw more, or two in another order, gives every seed another life.
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

    /// Returns a number from 0 up to, and without, `limit`.
    mutating func upTo(_ limit: Int) -> Int { Int(self.next() % UInt64(max(1, limit))) }
    /// Returns true in `percent` of a hundred throws.
    mutating func chance(_ percent: Int) -> Bool { self.upTo(100) < percent }
}
