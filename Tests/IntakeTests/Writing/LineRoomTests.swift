// SPDX-License-Identifier: Apache-2.0
// The line is bounded: no source, no tenant, no user and no repeated delivery can keep the others out.

import Foundation
import Model
import Testing

@testable import Intake

@Suite struct LineRoomTests {
    private static let other = SourceID(rawValue: UUID())

    /// Deliveries that fill a share, and one more like them.
    enum Share: CaseIterable {
        case line, source, tenant, user, id

        var line: TestLine {
            TestLine(
                waiting: self == .line ? 3 : 100, ofSource: self == .source ? 3 : 100,
                ofTenant: self == .tenant ? 3 : 100, alike: self == .user || self == .id ? 3 : 100)
        }

        /// Adds the delivery with this number. Returns whether it was taken.
        func add(_ number: Int, to line: TestLine) throws -> Bool {
            try line.add(
                self == .id ? "d" : "d\(number)", [self == .user ? "u" : "u\(number)"],
                from: self == .line || self == .tenant ? SourceID(rawValue: UUID()) : TestLine.app)
        }
    }

    @Test(arguments: Share.allCases)
    func `a full share refuses the next delivery, and takes it again when a batch has left`(_ share: Share) throws {
        let line = share.line
        for number in 0..<3 { #expect(try share.add(number, to: line)) }
        #expect(try !share.add(3, to: line))
        #expect(try line.add("other", ["other"], tenant: "globex", from: Self.other) == (share != .line))
        #expect(line.takeIDs().isEmpty == false)
        #expect(try share.add(4, to: line), "the caller may come again")
    }

    @Test(arguments: Share.allCases)
    func `a refused delivery takes no room`(_ share: Share) throws {
        let line = share.line
        for number in 0..<3 { try #require(try share.add(number, to: line)) }
        for number in 3..<50 { #expect(try !share.add(number, to: line)) }
        var taken = 0
        while case let batch = line.takeIDs(), !batch.isEmpty { taken += batch.count }
        #expect(taken == 3)
        for number in 50..<53 { #expect(try share.add(number, to: line)) }
        #expect(try !share.add(53, to: line))
    }

    @Test func `a full line says when to come again, and a closed one does not promise it`() throws {
        let line = TestLine(waiting: 1)
        #expect(try line.refusal(of: "d1", ["a"]) == nil)
        #expect(try line.refusal(of: "d2", ["b"]) == .busy(retryAfter: 1))
        _ = line.closeIDs()
        #expect(try line.refusal(of: "d3", ["c"]) == .unavailable)
    }

    @Test func `every event of a delivery takes room, and the last free place is enough for a delivery`() throws {
        for line in [TestLine(ofSource: 3), TestLine(ofTenant: 3), TestLine(waiting: 3)] {
            #expect(try line.add("two", ["a", "b"]))
            #expect(try line.add("three", ["c", "d", "e"]))
            #expect(try !line.add("one", ["f"]))
        }
    }

    @Test func `a delivery of several users counts for each of them`() throws {
        let line = TestLine(alike: 2)
        #expect(try line.add("d1", ["a", "b"]))
        #expect(try line.add("d2", ["b", "c"]))
        #expect(try !line.add("d3", ["d", "b"]))
        #expect(try line.add("d4", ["a", "c", "d"]), "the refused one counts for nobody")
        #expect(try !line.add("d5", ["c"]))
    }

    @Test func `a delivery counts once for a user whom it names twice`() throws {
        let line = TestLine(alike: 2)
        #expect(try line.add("d1", ["a", "a", "a"]))
        #expect(try line.add("d2", ["a", "b", "a"]))
        #expect(try !line.add("d3", ["a"]))
    }

    @Test func `one source that repeats a user leaves another source its places for the same user`() throws {
        let line = TestLine(alike: 2)
        for number in 0..<3 { #expect(try line.add("d\(number)", ["u"]) == (number < 2)) }
        for number in 0..<3 { #expect(try line.add("d\(number)", ["u"], from: Self.other) == (number < 2)) }
        #expect(line.takeIDs() == ["d0"])
        #expect(try line.add("again", ["u"]))
        #expect(try !line.add("more", ["u"], from: Self.other))
    }

    @Test func `the sources of one tenant share its places`() throws {
        let line = TestLine(waiting: 20, ofSource: 5, ofTenant: 5)
        var taken = 0
        for source in 0..<4 {
            let id = SourceID(rawValue: UUID())
            for number in 0..<5 where try line.add("d\(number)", ["u-\(source)-\(number)"], from: id) { taken += 1 }
        }
        #expect(taken == 5)
        #expect(try line.add("d", ["u"], tenant: "globex", from: Self.other))
    }
}
