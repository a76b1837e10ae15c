// SPDX-License-Identifier: Apache-2.0
// A random life: what one source says of one or two people. Its number decides everything in it.

@testable import Intake

struct Life: Sendable {
    /// The tenant of each organisation. `o9` has none.
    static let tenants = ["o1": "acme", "o2": "acme", "o3": "globex"]
    /// Words lie before the database's now, so that "now" is never a time of theirs.
    private static let beginning = -1_000_000

    let number: UInt64
    /// Two to seven, on the people `0` and `1`.
    let words: [Said]

    /// Times and organisations are few, so that many words meet: a rule on equal times that is turned round shows in
    /// one life of ten.
    init(_ number: UInt64) {
        var dice = FuzzDice.apart(number)
        let people = dice.chance(80) ? 1 : 2
        var words: [Said] = []
        for _ in 0..<2 + dice.upTo(6) {
            var said = Self.word(&dice)
            said.user = "\(dice.upTo(people))"
            words.append(said)
        }
        self.number = number
        self.words = words
    }

    private static func word(_ dice: inout FuzzDice) -> Said {
        let minute = dice.chance(10) ? nil : Self.beginning + dice.upTo(4)
        let organization = dice.one(of: ["o1", "o1", "o2", "o3", "o9"])
        switch dice.upTo(23) {
        case 0...5: return dice.chance(30) ? .joins(organization, minute).weak : .joins(organization, minute)
        case 6...9: return .leaves(organization, minute)
        case 10, 11: return .exists(minute)
        case 12, 13: return .suspended(minute)
        case 14, 15: return .deleted(minute)
        case 16, 17: return .joins(organization, minute).with { $0.ofPerson = .live }
        case 18: return .invited(organization, minute)
        default: return .list(dice.chance(80) ? organization : nil, minute ?? Self.beginning)
        }
    }

    /// The users who must be wanted when all is told, as `acme 0`.
    var wanted: Set<String> { FactsOracle.wanted(self.words, Self.tenants) }
}

extension FuzzDice {
    /// The dice of one life. Those of two numbers that follow each other would throw the same numbers, one throw apart.
    static func apart(_ number: UInt64) -> FuzzDice {
        var seed = FuzzDice(number)
        return FuzzDice(seed.next())
    }
}

/// A life that did not come to what the set of its words says.
struct WrongLife: Error, CustomStringConvertible {
    let life: Life
    let wanted: [String]
    /// The transactions in which it was told. Nil: to the model, in some order.
    var groups: [[Said]]?

    var description: String {
        """
        life \(self.life.number) comes to \(self.wanted) and not to \(self.life.wanted.sorted()): \
        \(self.groups.map { "\($0)" } ?? "\(self.life.words)"); again: make lives N=1 FIRST=\(self.life.number)
        """
    }
}
