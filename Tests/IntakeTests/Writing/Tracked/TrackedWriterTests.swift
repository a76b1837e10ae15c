// SPDX-License-Identifier: Apache-2.0
// The group commit of tracked sources: each delivery hears what became of its own words, and a person's are in order.

import Foundation
import Logging
import Model
import Postgres
import Queue
import TestSupport
import Testing

@testable import Intake

@Suite struct TrackedWriterTests {
    @Test func `a person's words in one batch are decided one after the other, whatever the source`() async throws {
        try await TestDatabase.with { database in
            try await WordBed.prepare(database)
            let answers = try await Self.receipts(
                [
                    [.exists(5)], [.joins("o1", 10)], [.joins("o1", 20).elsewhere], [.leaves("o1", 30)],
                    [.joins("o1", 10)], [.joins("o9", 10)], [.joins("none", 10)],
                ], database)
            #expect(
                answers == [
                    "accepted", "accepted", "accepted", "accepted", "superseded", "quarantined", "ignored",
                ])
            #expect(try await WordBed.users(database) == ["acme u gone"])
        }
    }

    /// A complete list, as some senders tell it: each item is a word, and the last one ends the list.
    @Test func `a delivery that names its person several times is stored in one commit`() async throws {
        try await TestDatabase.with { database in
            try await WordBed.prepare(database)
            let answers = try await Self.receipts(
                [[.joins("o1", 10)], [.joins("o2", 20), .joins("o3", 20), .list(nil, 20)], [.list("o3", 30)]], database)
            #expect(answers == ["accepted", "accepted accepted duplicate", "accepted"])
            #expect(try await WordBed.users(database) == ["acme u gone", "globex u live"])
            let commits = try await database.admin.query(
                "select 1 from dialtone.events where item > 0 group by xmin::text having count(*) = 2")
            #expect(commits.count == 1)
        }
    }

    @Test func `a delivery that comes again is a duplicate, and another one under its id is refused`() async throws {
        try await TestDatabase.with { database in
            try await WordBed.prepare(database)
            func joining(_ organization: String) -> Said {
                Said.joins(organization, 10).with { $0.delivery = "d" }
            }
            #expect(
                try await Self.receipts([[joining("o1")], [joining("o1")]], database) == ["accepted", "duplicate"])
            #expect(try await Self.receipts([[joining("o3")]], database) == ["deliveryReused"])
            #expect(try await WordBed.users(database) == ["acme u live"])
        }
    }

    /// The sender was told that it is taken, and cannot know that it waits.
    @Test func `a delivery that comes again while it is in quarantine is settled by that`() async throws {
        try await TestDatabase.with { database in
            try await WordBed.prepare(database)
            let said = Said.joins("o9", 10)
            #expect(try await Self.receipts([[said], [said]], database) == ["quarantined", "quarantined"])
            try await WordBed.map("o9", to: "acme", database)
            #expect(try await Self.receipts([[said], [said]], database) == ["accepted", "duplicate"])
            #expect(try await WordBed.users(database) == ["acme u live"])
            #expect(try await database.admin.query("select 1 from dialtone.events").count == 1)
        }
    }

    @Test func `a person waits in the line of its own source`() throws {
        let word = try Said.joins("o1", 10).word()
        #expect(try word.lineKey == Said.leaves("o2", 20).word().lineKey)
        #expect(try word.lineKey != Said.joins("o1", 10).elsewhere.word().lineKey)
        #expect(try word.lineKey != Said.joins("o1", 10).with { $0.user = "v" }.word().lineKey)
    }

    @Test func `many people are stored together`() async throws {
        try await TestDatabase.with { database in
            try await WordBed.prepare(database)
            let deliveries = (0..<600).map { number in [Said.joins("o1", 10).with { $0.user = "u-\(number)" }] }
            let answers = try await Self.receipts(deliveries, database)
            #expect(answers.allSatisfy { $0 == "accepted" })
            #expect(try await database.admin.query("select distinct xmin::text from dialtone.events").count == 3)
            let places = try await database.admin.query(
                "select 1 from dialtone.jobs group by place having count(*) > 1")
            #expect(places.isEmpty, "a tenant's jobs of one commit stand a step apart")
        }
    }

    // MARK: The writer

    /// Submits all deliveries before the writer starts. Returns each one's statuses or error, in the same order.
    static func receipts(_ deliveries: [[Said]], _ database: TestDatabase) async throws -> [String] {
        let writer = TrackedWriter(
            pool: database.pool, wakeup: Wakeup(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let (answers, answer) = AsyncStream<(place: Int, text: String)>.makeStream()
        for (place, said) in deliveries.enumerated() {
            let delivery = try #require(
                TrackedDelivery(
                    said[0].delivery, of: said[0].source, owner: nil, saying: try said.map { try $0.word().word },
                    version: 1, secret: nil, receivedAt: Date()))
            writer.write(delivery) { result in
                switch result {
                case .success(let receipt):
                    answer.yield((place, receipt.items.map(\.status.rawValue).joined(separator: " ")))
                case .failure(let error): answer.yield((place, "\(error)"))
                }
            }
        }
        return await withTaskGroup(of: Void.self) { group in
            group.addTask { await writer.run() }
            defer { group.cancelAll() }
            var texts = [String](repeating: "", count: deliveries.count)
            for await (place, text) in answers.prefix(deliveries.count) { texts[place] = text }
            return texts
        }
    }
}
