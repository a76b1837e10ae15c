// SPDX-License-Identifier: Apache-2.0
// One way to tell a life: its words in an order, in transactions of one word or several.

@testable import Intake

struct Telling: Sendable {
    let life: Life
    /// Lives and tellings stand side by side in one database, each with people of its own.
    let name: String
    let groups: [[Said]]

    private init(_ life: Life, _ number: Int, _ groups: [[Said]]) {
        let name = "u-\(life.number)-\(number)"
        self.life = life
        self.name = name
        self.groups = groups.enumerated().map { group, words in
            words.enumerated().map { place, said in
                // Each telling has deliveries of its own.
                said.with { ($0.user, $0.delivery) = ("\(name)-\(said.user)", "\(name)/\(group)/\(place)") }
            }
        }
    }

    /// The users who must be wanted, as `acme u-7-0-1`.
    var wanted: [String] { self.life.wanted.map { $0.replacing(" ", with: " \(self.name)-") } }

    /// Every order and grouping of a life of up to three words, and some of a longer one.
    static func tellings(of life: Life, some: Int) -> [Telling] {
        var groupings: [[[Said]]] = []
        if life.words.count <= 3 {
            for order in Self.orders(life.words) { groupings += Self.groupings(order[...]) }
        } else {
            var dice = FuzzDice.apart(~life.number)
            for _ in 0..<some { groupings.append(Self.grouped(life.words.shuffled(using: &dice), &dice)) }
        }
        return groupings.enumerated().map { Telling(life, $0, $1) }
    }

    private static func orders(_ words: [Said]) -> [[Said]] {
        guard words.count > 1 else { return [words] }
        return words.indices.flatMap { place in
            var rest = words
            let first = rest.remove(at: place)
            return Self.orders(rest).map { [first] + $0 }
        }
    }

    private static func groupings(_ words: ArraySlice<Said>) -> [[[Said]]] {
        guard !words.isEmpty else { return [[]] }
        return (1...words.count).flatMap { length in
            Self.groupings(words.dropFirst(length)).map { [Array(words.prefix(length))] + $0 }
        }
    }

    /// In transactions of one to four words.
    private static func grouped(_ words: [Said], _ dice: inout FuzzDice) -> [[Said]] {
        var groups: [[Said]] = []
        var rest = words[...]
        while !rest.isEmpty {
            let group = rest.prefix(1 + dice.upTo(4))
            groups.append(Array(group))
            rest = rest.dropFirst(group.count)
        }
        return groups
    }
}
