// SPDX-License-Identifier: Apache-2.0
// A delivery that names several users is stored as a whole, in its order, or not at all.

import Model
import Postgres
import TestSupport
import Testing

@testable import Intake

@Suite struct DeliveryWritingTests {
    @Test func `all users of a delivery are stored together in the delivery's order`() async throws {
        try await TestDatabase.with { database in
            let delivery = try NewDelivery.of(["b", "a", "c"], .live, "d")
            let answers = try await WriterBed.receipts([delivery, delivery], database)
            #expect(answers == ["accepted accepted accepted", "duplicate duplicate duplicate"])
            let events = try await database.admin.query(
                "select item || ' ' || user_id || ' ' || outcome from dialtone.events order by item"
            ).map { try $0.decode(String.self) }
            #expect(events == ["0 b accepted", "1 a accepted", "2 c accepted"])
            #expect(try await database.admin.query("select 1 from dialtone.jobs").count == 3)
        }
    }

    /// The second mention must see the effect of the first, and both are stored or neither is.
    @Test func `a delivery may name a user more than once`() async throws {
        try await TestDatabase.with { database in
            let answers = try await WriterBed.receipts(
                [
                    try NewDelivery.of(["a", "b", "a", "a"], .live, "d1"), try NewDelivery.of(["b", "b"], .gone, "d2"),
                    try NewDelivery.of(["a", "b", "a", "a"], .live, "d1"),
                ], database)
            #expect(
                answers == [
                    "accepted accepted duplicate duplicate", "accepted duplicate",
                    "duplicate duplicate duplicate duplicate",
                ])
            #expect(try await database.admin.query("select 1 from dialtone.events").count == 6)
        }
    }

    /// The second delivery has an id that is too long for its column.
    @Test func `a delivery that the database refuses is not stored in part and stops no other`() async throws {
        try await TestDatabase.with { database in
            let broken = String(repeating: "x", count: 300)
            let answers = try await WriterBed.receipts(
                [
                    try NewDelivery.of(["a", "b"], .live, "d1"), try NewDelivery.of(["c", "d", "c"], .live, broken),
                    try NewDelivery.of(["e"], .live, "d3"),
                ], database)
            #expect(answers[0] == "accepted accepted" && answers[1].hasPrefix("unusable") && answers[2] == "accepted")
            let users = try await database.admin.query("select user_id from dialtone.users order by 1")
                .map { try $0.decode(String.self) }
            #expect(users == ["a", "b", "e"])
        }
    }

    @Test func `nothing is added to a delivery that is already stored`() async throws {
        try await TestDatabase.with { database in
            _ = try await WriterBed.receipts([try NewDelivery.of(["a", "b"], .live, "d")], database)
            let answers = try await WriterBed.receipts([try NewDelivery.of(["a", "b", "c"], .live, "d")], database)
            #expect(answers == ["deliveryReused"])
            let other = try await WriterBed.receipts([try NewDelivery.of(["a", "c"], .live, "d")], database)
            #expect(other == ["deliveryReused"])
            #expect(try await database.admin.query("select 1 from dialtone.users").count == 2)
        }
    }

    @Test func `a delivery larger than a batch is stored in one commit`() async throws {
        try await TestDatabase.with { database in
            let users = (0..<600).map { "u-\($0)" }
            let answers = try await WriterBed.receipts(
                [try NewDelivery.of(["first"], .live, "d0"), try NewDelivery.of(users, .live, "d1")], database)
            #expect(answers[1] == Array(repeating: "accepted", count: 600).joined(separator: " "))
            let commits = try await database.admin.query("select distinct xmin::text from dialtone.events")
            #expect(commits.count == 2)
        }
    }
}
