// SPDX-License-Identifier: Apache-2.0
// Repeatable chance for made-up inputs: the number of an input decides everything in it.

/// Random numbers (SplitMix64) of one input.
struct FuzzDice: RandomNumberGenerator {
    /// Bytes that mean something to one of the readers.
    private static let marks = Array("{}[]\",:\\u0 \t1eE+-.tfnv=Z".utf8)

    private var state: UInt64

    init(_ number: UInt64) { self.state = number &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

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
    /// Returns one of the texts; an empty one of none.
    mutating func one(of texts: [String]) -> String { texts.isEmpty ? "" : texts[self.upTo(texts.count)] }
    mutating func byte() -> UInt8 { UInt8(truncatingIfNeeded: self.next()) }

    /// Changes some bytes: others in their place, some gone, some twice, or the end cut off.
    mutating func damage(_ bytes: inout [UInt8]) {
        for _ in 0...self.upTo(3) where !bytes.isEmpty {
            let place = self.upTo(bytes.count)
            let end = min(bytes.count, place + 1 + self.upTo(8))
            switch self.upTo(5) {
            case 0: bytes[place] = self.byte()
            case 1: bytes[place] = Self.marks[self.upTo(Self.marks.count)]
            case 2: bytes.removeSubrange(place..<end)
            case 3: bytes.insert(contentsOf: Array(bytes[place..<end]), at: self.upTo(bytes.count))
            default: bytes.removeSubrange(end...)
            }
        }
    }
}

/// An input on which a rule is broken.
struct FuzzFailure: Error, CustomStringConvertible {
    let rule: String
    let input: String

    init(_ rule: String, _ input: [UInt8]) {
        self.rule = rule
        self.input = String(decoding: input.prefix(2000), as: UTF8.self)
    }

    var description: String { "\(self.rule): \(self.input)" }
}
