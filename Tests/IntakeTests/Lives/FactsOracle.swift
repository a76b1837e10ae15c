// SPDX-License-Identifier: Apache-2.0
// What the words of one source must come to, as a pure function of their set: their order says nothing.

import Model

@testable import Intake

enum FactsOracle {
    /// Returns the users who must be wanted, as `acme u`. `tenants` maps organisations.
    static func wanted(_ said: [Said], _ tenants: [String: String]) -> Set<String> {
        var wanted: Set<String> = []
        for (user, words) in Dictionary(grouping: said, by: \.user) where !Self.isSuspended(words) {
            let ended = words.filter { $0.ofPerson == .deleted }.map { Self.line($0, isGone: true) }.max()
            let listed = words.filter(\.isWhole).map { Self.line($0, isGone: false) }.max()
            let members = words.filter { $0.ofMembership == .live || $0.ofMembership == .gone }
            for (organization, words) in Dictionary(grouping: members, by: \.organization) {
                guard let organization, let tenant = tenants[organization],
                    let newest = Self.newest(words, takesAway: { $0.ofMembership == .gone }),
                    !newest.takesAway, newest.line > ended ?? Int.min, newest.line >= listed ?? Int.min
                else { continue }
                wanted.insert("\(tenant) \(user)")
            }
        }
        return wanted
    }

    private static func isSuspended(_ words: [Said]) -> Bool {
        Self.newest(words.filter { $0.ofPerson == .live || $0.ofPerson == .suspended }) { $0.ofPerson == .suspended }?
            .takesAway ?? false
    }

    private static func newest(_ words: [Said], takesAway: (Said) -> Bool) -> Mark? {
        words.map { Mark(line: Self.line($0, isGone: takesAway($0)), takesAway: takesAway($0)) }.max()
    }

    /// Where a word stands. Of two at one time, the one that takes away wins.
    private struct Mark: Comparable {
        var line: Int
        var takesAway: Bool

        static func < (lhs: Self, rhs: Self) -> Bool {
            lhs.line == rhs.line ? !lhs.takesAway && rhs.takesAway : lhs.line < rhs.line
        }
    }

    /// Without a time a word that gives is older than all others, and one that takes away is newer. `Int.min` is before
    /// all lines.
    private static func line(_ said: Said, isGone: Bool) -> Int { said.minute ?? (isGone ? Int.max : Int.min + 1) }
}
