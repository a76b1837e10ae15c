// SPDX-License-Identifier: Apache-2.0
// Waiting deliveries leave in order, a batch at a time, and no source can keep the others out.

import Foundation
import Model
import Testing

@testable import Intake

@Suite struct WaitingLineTests {
    private static let other = SourceID(rawValue: UUID())

    // MARK: Batches

    @Test func `deliveries leave in the order in which they came`() throws {
        let line = Line(batch: 3)
        for number in 0..<5 { try line.add("d\(number)", ["u\(number)"]) }
        #expect(line.takeIDs() == ["d0", "d1", "d2"])
        #expect(line.takeIDs() == ["d3", "d4"])
        #expect(line.takeIDs() == [])
    }

    @Test func `a user's second delivery waits for the next batch`() throws {
        let line = Line()
        try line.add("first", ["ada"])
        try line.add("second", ["ada"])
        try line.add("elsewhere", ["bob"])
        #expect(line.takeIDs() == ["first", "elsewhere"])
        #expect(line.takeIDs() == ["second"])
    }

    @Test func `a delivery does not overtake one that waits and names the same user`() throws {
        let line = Line()
        try line.add("ada", ["ada"])
        try line.add("both", ["ada", "bob"])
        try line.add("bob", ["bob"])
        #expect(line.takeIDs() == ["ada"])
        #expect(line.takeIDs() == ["both"])
        #expect(line.takeIDs() == ["bob"])
    }

    @Test func `the same user id of two tenants is two users`() throws {
        let line = Line()
        try line.add("acme", ["ada"], tenant: "acme")
        try line.add("globex", ["ada"], tenant: "globex")
        #expect(line.takeIDs() == ["acme", "globex"])
    }

    @Test func `a repeated delivery waits for the next batch, even when it names no user`() throws {
        let line = Line()
        try line.add("d", [])
        try line.add("d", [])
        try line.add("d", [], from: Self.other)
        #expect(line.takeIDs() == ["d", "d"], "an id is the source's own")
        #expect(line.takeIDs() == ["d"])
    }

    @Test func `a delivery that does not fit waits, and smaller ones may go before it`() throws {
        let line = Line(batch: 3)
        try line.add("two", ["a", "b"])
        try line.add("three", ["c", "d", "e"])
        try line.add("one", ["f"])
        #expect(line.takeIDs() == ["two", "one"])
        #expect(line.takeIDs() == ["three"])
    }

    @Test func `a delivery larger than a batch goes alone when its turn comes`() throws {
        let line = Line(batch: 3)
        try line.add("small", ["a"])
        try line.add("large", ["b", "c", "d", "e"])
        try line.add("last", ["f"])
        #expect(line.takeIDs() == ["small", "last"])
        try line.add("later", ["g"])
        #expect(line.takeIDs() == ["large"])
        #expect(line.takeIDs() == ["later"])
    }

    @Test func `a batch is chosen from a limited number of waiting deliveries`() throws {
        let line = Line(scan: 2)
        try line.add("first", ["ada"])
        try line.add("second", ["ada"])
        try line.add("beyond", ["bob"])
        #expect(line.takeIDs() == ["first"])
        #expect(line.takeIDs() == ["second", "beyond"])
    }

    // MARK: Room

    @Test func `one source can fill its own share and leaves room for the others`() throws {
        let line = Line(waiting: 10, waitingOfSource: 2)
        #expect(try line.add("d1", ["a"]))
        #expect(try line.add("d2", ["b"]))
        #expect(try !line.add("d3", ["c"]))
        #expect(try line.add("d4", ["d"], from: Self.other))
    }

    @Test func `all sources together can fill the line`() throws {
        let line = Line(waiting: 2, waitingOfSource: 2)
        #expect(try line.add("d1", ["a"]))
        #expect(try line.add("d2", ["b"], from: Self.other))
        #expect(try !line.add("d3", ["c"], from: SourceID(rawValue: UUID())))
    }

    @Test func `every event of a delivery takes room, and the last free place is enough for a delivery`() throws {
        let line = Line(waiting: 10, waitingOfSource: 3)
        #expect(try line.add("two", ["a", "b"]))
        #expect(try line.add("three", ["c", "d", "e"]))
        #expect(try !line.add("one", ["f"]))
    }

    @Test func `taking a batch makes room in the line and in the source's share`() throws {
        let line = Line(batch: 1, waiting: 2, waitingOfSource: 2)
        try line.add("d1", ["a"])
        try line.add("d2", ["b"])
        #expect(try !line.add("full", ["c"]))
        #expect(line.takeIDs() == ["d1"])
        #expect(try line.add("d3", ["c"]))
        #expect(try !line.add("full again", ["d"]))
    }

    @Test func `a closed line gives back what waits and takes nothing more`() throws {
        let line = Line()
        try line.add("d1", ["a"])
        try line.add("d2", ["b"])
        #expect(line.closeIDs() == ["d1", "d2"])
        #expect(try !line.add("late", ["c"]))
        #expect(line.takeIDs() == [])
    }
}

/// A line with ids for deliveries and names for users.
private final class Line {
    static let app = SourceID(rawValue: UUID())
    private static let now = Date(timeIntervalSince1970: 1_800_000_000)

    private var line: WaitingLine

    init(batch: Int = 100, waiting: Int = 100, waitingOfSource: Int = 100, scan: Int = 100) {
        self.line = WaitingLine(
            limits: WaitingLine.Limits(batch: batch, waiting: waiting, waitingOfSource: waitingOfSource, scan: scan))
    }

    /// Adds a delivery with one event for each user; without a user, with one event that asks nothing. Returns whether
    /// it was taken.
    @discardableResult
    func add(
        _ id: String, _ users: [String], tenant: String = "acme", from source: SourceID = Line.app
    ) throws -> Bool {
        let changes = try users.map { user in
            let key = UserKey(tenant: try TenantID(tenant), user: try UserID(user))
            return UserChange(user: key, wanted: .live, occurredAt: nil)
        }
        let event = NewEvent(
            id: EventID(at: Self.now), source: source, deliveryID: id, receivedAt: Self.now, owner: tenant)
        return self.line.add(NewDelivery(event, asking: changes)) { _ in }
    }

    func takeIDs() -> [String] { self.line.takeBatch().map { $0.delivery.events[0].deliveryID } }

    func closeIDs() -> [String] { self.line.close().map { $0.delivery.events[0].deliveryID } }
}
