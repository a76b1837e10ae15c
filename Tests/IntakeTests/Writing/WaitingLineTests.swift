// SPDX-License-Identifier: Apache-2.0
// Waiting deliveries leave in order, a batch at a time, and sources take turns.

import Foundation
import Model
import Testing

@testable import Intake

@Suite struct WaitingLineTests {
    private static let other = SourceID(rawValue: UUID())

    // MARK: Batches

    @Test func `deliveries of a source leave in the order in which they came`() throws {
        let line = TestLine(batch: 3)
        for number in 0..<5 { try line.add("d\(number)", ["u\(number)"]) }
        #expect(line.takeIDs() == ["d0", "d1", "d2"])
        #expect(line.takeIDs() == ["d3", "d4"])
        #expect(line.takeIDs() == [])
    }

    @Test func `a user's second delivery waits for the next batch`() throws {
        let line = TestLine()
        try line.add("first", ["ada"])
        try line.add("second", ["ada"])
        try line.add("elsewhere", ["bob"])
        #expect(line.takeIDs() == ["first", "elsewhere"])
        #expect(line.takeIDs() == ["second"])
    }

    @Test func `a delivery does not overtake one that waits and names the same user`() throws {
        let line = TestLine()
        try line.add("ada", ["ada"])
        try line.add("both", ["ada", "bob"])
        try line.add("bob", ["bob"])
        #expect(line.takeIDs() == ["ada"])
        #expect(line.takeIDs() == ["both"])
        #expect(line.takeIDs() == ["bob"])
    }

    @Test func `a delivery that has waited for its user goes before those that came later`() throws {
        let line = TestLine(batch: 2)
        try line.add("first", ["ada"])
        try line.add("second", ["ada"])
        for number in 0..<4 { try line.add("d\(number)", ["u\(number)"]) }
        #expect(line.takeIDs() == ["first", "d0"])
        #expect(line.takeIDs() == ["second", "d1"])
        #expect(line.takeIDs() == ["d2", "d3"])
    }

    @Test func `the deliveries of two sources for one user keep their order`() throws {
        let line = TestLine()
        try line.add("first", ["ada"])
        try line.add("second", ["ada"], from: Self.other)
        try line.add("third", ["ada"])
        #expect(line.takeIDs() == ["first"])
        #expect(line.takeIDs() == ["second"])
        #expect(line.takeIDs() == ["third"])
    }

    @Test func `a delivery that names a user twice is followed by the user's next one`() throws {
        let line = TestLine()
        try line.add("ada", ["ada"])
        try line.add("twice", ["ada", "bob", "ada"])
        try line.add("last", ["ada"])
        #expect(line.takeIDs() == ["ada"])
        #expect(line.takeIDs() == ["twice"])
        #expect(line.takeIDs() == ["last"])
        #expect(line.takeIDs() == [])
    }

    @Test func `the same user id of two tenants is two users`() throws {
        let line = TestLine()
        try line.add("acme", ["ada"], tenant: "acme")
        try line.add("globex", ["ada"], tenant: "globex")
        #expect(line.takeIDs() == ["acme", "globex"])
    }

    @Test func `a repeated delivery waits for the next batch, even when it names another user`() throws {
        let line = TestLine()
        try line.add("d", ["ada"])
        try line.add("d", ["bob"])
        try line.add("d", ["eve"], from: Self.other)
        #expect(line.takeIDs() == ["d", "d"], "an id is the source's own")
        #expect(line.takeIDs() == ["d"])
    }

    @Test func `a batch ends before a delivery that does not fit, and that one leads the next`() throws {
        let line = TestLine(batch: 3)
        try line.add("two", ["a", "b"])
        try line.add("three", ["c", "d", "e"])
        try line.add("one", ["f"])
        #expect(line.takeIDs() == ["two"])
        #expect(line.takeIDs() == ["three"])
        #expect(line.takeIDs() == ["one"])
    }

    @Test func `a delivery larger than a batch goes alone when its turn comes`() throws {
        let line = TestLine(batch: 3)
        try line.add("small", ["a"])
        try line.add("large", ["b", "c", "d", "e"])
        try line.add("last", ["f"])
        #expect(line.takeIDs() == ["small"])
        try line.add("later", ["g"])
        #expect(line.takeIDs() == ["large"])
        #expect(line.takeIDs() == ["last", "later"])
    }

    /// Every step of every order is compared with the rule itself, read from a plain list.
    @Test func `whatever comes, a batch has no user twice, and each user and id keeps its order`() throws {
        var dice = Dice(state: 4711)
        let sources = (0..<3).map { _ in SourceID(rawValue: UUID()) }
        let line = TestLine(batch: 5)
        var waiting: [(id: String, source: Int, users: [String], number: Int)] = []
        for number in 0..<4000 {
            if dice.below(3) > 0 {
                let users = (0...dice.below(3)).map { _ in "u\(dice.below(12))" }
                let (source, id) = (dice.below(3), "d\(dice.below(40))")
                if try line.add(id, users, from: sources[source], tag: number) {
                    waiting.append((id, source, users, number))
                }
                continue
            }
            let batch = line.takeTags()
            #expect(waiting.isEmpty == batch.isEmpty, "something is always ready")
            var users: Set<String> = []
            for tag in batch {
                let place = try #require(waiting.firstIndex { $0.number == tag }, "a delivery is taken once")
                let taken = waiting.remove(at: place)
                #expect(users.isDisjoint(with: taken.users), "a user stands in a batch once")
                users.formUnion(taken.users)
                let before = waiting[..<place].filter { earlier in
                    !Set(earlier.users).isDisjoint(with: taken.users)
                        || earlier.source == taken.source && earlier.id == taken.id
                }
                #expect(before.isEmpty, "\(taken) has overtaken \(before)")
            }
        }
        while !waiting.isEmpty {
            let batch = line.takeTags()
            try #require(!batch.isEmpty, "what waits comes out in the end")
            waiting.removeAll { batch.contains($0.number) }
        }
        #expect(line.takeTags() == [])
    }

    // MARK: Turns

    @Test func `sources take turns, however many deliveries one of them has`() throws {
        let line = TestLine(batch: 4)
        for number in 0..<8 { try line.add("a\(number)", ["a\(number)"]) }
        try line.add("b0", ["b0"], from: Self.other)
        try line.add("b1", ["b1"], from: Self.other)
        #expect(line.takeIDs() == ["a0", "b0", "a1", "b1"])
        #expect(line.takeIDs() == ["a2", "a3", "a4", "a5"])
    }

    @Test func `a source whose delivery did not fit keeps its turn`() throws {
        let line = TestLine(batch: 2)
        try line.add("a", ["a"])
        try line.add("large", ["b", "c"], from: Self.other)
        for number in 0..<3 { try line.add("a\(number)", ["a\(number)"]) }
        #expect(line.takeIDs() == ["a"])
        #expect(line.takeIDs() == ["large"])
        #expect(line.takeIDs() == ["a0", "a1"])
    }

    @Test func `a source that comes back at once does not get ahead of one that waits`() throws {
        let line = TestLine(batch: 1)
        let third = SourceID(rawValue: UUID())
        try line.add("a0", ["a0"])
        try line.add("b0", ["b0"], from: Self.other)
        try line.add("victim", ["v"], from: third)
        #expect(line.takeIDs() == ["a0"])
        try line.add("a1", ["a1"])
        #expect(line.takeIDs() == ["b0"])
        try line.add("b1", ["b1"], from: Self.other)
        #expect(line.takeIDs() == ["victim"])
    }

    @Test func `a closed line gives back what waits in its order and takes nothing more`() throws {
        let line = TestLine()
        try line.add("d1", ["a"])
        try line.add("d2", ["a"], from: Self.other)
        try line.add("d3", ["b"])
        #expect(line.closeIDs() == ["d1", "d2", "d3"])
        #expect(try !line.add("late", ["c"]))
        #expect(line.takeIDs() == [])
    }
}

/// SplitMix64, so that every run asks the same.
private struct Dice {
    var state: UInt64

    mutating func below(_ end: Int) -> Int {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ (mixed >> 31)) % UInt64(end))
    }
}
