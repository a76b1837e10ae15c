// SPDX-License-Identifier: Apache-2.0
// A person's life in any order and any grouping comes to what the set of its words says.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Intake

@Suite struct PermutationTests {
    private static let tenants = ["o1": "acme", "o2": "acme", "o3": "globex"]

    /// `DIALTONE_LIVES` makes it more.
    private static let lives = ProcessInfo.processInfo.environment["DIALTONE_LIVES"].flatMap(UInt64.init) ?? 150

    /// Lives stand side by side in one database, each with users of its own.
    @Test func `users follow the words, whatever their order`() async throws {
        try await TestDatabase.with { database in
            try await WordBed.prepare(database)
            var (wanted, said): (Set<String>, [UInt64: [Said]]) = ([], [:])
            for number in 0..<Self.lives {
                var dice = FuzzDice(number)
                let life = Self.life(number, &dice)
                said[number] = life
                wanted.formUnion(FactsOracle.wanted(life, Self.tenants))
                try await Self.tell(life.shuffled(using: &dice), &dice, database)
            }
            let live = try await database.admin.query(
                "select tenant_id || ' ' || user_id from dialtone.users where wanted = 'live'"
            ).map { try $0.decode(String.self) }
            let wrong = Set(live).symmetricDifference(wanted)
            #expect(wrong.isEmpty, "\(wrong.prefix(3)): \(Self.lives(of: wrong, in: said))")
        }
    }

    /// Told in transactions of one to four words.
    private static func tell(_ life: [Said], _ dice: inout FuzzDice, _ database: TestDatabase) async throws {
        var rest = life[...]
        while !rest.isEmpty {
            let words = try rest.prefix(1 + dice.upTo(4)).map { try $0.word() }
            _ = try await WordBed.commit(words, database)
            rest = rest.dropFirst(words.count)
        }
    }

    /// Two to eight words, most of them on one person. Times and organisations are few, so that many words meet: a rule
    /// on equal times that is turned round shows in one life of ten.
    private static func life(_ number: UInt64, _ dice: inout FuzzDice) -> [Said] {
        let people = dice.chance(80) ? 1 : 2
        return (0..<2 + dice.upTo(7)).map { _ in
            var said = Self.word(&dice)
            said.user = "u-\(number)-\(dice.upTo(people))"
            return said
        }
    }

    private static func word(_ dice: inout FuzzDice) -> Said {
        let minute = dice.chance(10) ? nil : dice.upTo(4)
        let organization = dice.one(of: ["o1", "o1", "o2", "o3", "o9"])
        switch dice.upTo(10) {
        case 0...2: return dice.chance(30) ? .joins(organization, minute).weak : .joins(organization, minute)
        case 3...4: return .leaves(organization, minute)
        case 5: return .exists(minute)
        case 6: return .suspended(minute)
        case 7: return .deleted(minute)
        case 8: return .joins(organization, minute).with { $0.ofPerson = .live }
        default: return .list(dice.chance(80) ? organization : nil, minute ?? 0)
        }
    }

    private static func lives(of wrong: Set<String>, in said: [UInt64: [Said]]) -> String {
        wrong.prefix(3).compactMap { name in
            name.split(separator: "-").dropFirst().first.flatMap { UInt64($0) }.flatMap { said[$0] }
        }.map { "\($0)" }.joined(separator: "\n")
    }
}
