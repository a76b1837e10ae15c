// SPDX-License-Identifier: Apache-2.0
// A group commit gives each event its own outcome, whatever shares its batch, and keeps a user's events in order.

import Foundation
import Logging
import Model
import Postgres
import Queue
import Synchronization
import TestSupport
import Testing

@testable import Intake

@Suite struct EventWriterTests {
    private static let source = SourceID(rawValue: UUID())
    private static let morning = Date(timeIntervalSince1970: 1_800_000_000)

    @Test func `a user's events in one batch are decided one after the other`() async throws {
        try await TestDatabase.with { database in
            let outcomes = try await Self.together(
                [
                    Self.event("u", .live, "d1", at: 1), Self.event("u", .gone, "d2", at: 2),
                    Self.event("u", .live, "d3", at: 1), Self.event("u", .live, "d4", at: 3),
                    Self.event("v", .live, "d5"), Self.event("v", .live, "d6"), Self.event("v", .gone, "d7"),
                    Self.event("v", .live, "d8"),
                ], database)
            #expect(
                outcomes == [
                    .accepted, .accepted, .superseded, .accepted, .accepted, .duplicate, .accepted, .superseded,
                ])
            let users = try await database.admin.query(
                "select user_id || ' ' || wanted || ' ' || generation from dialtone.users order by 1"
            ).map { try $0.decode(String.self) }
            #expect(users == ["u live 2", "v gone 1"])
        }
    }

    @Test func `a delivery repeated within a batch is stored as one event`() async throws {
        try await TestDatabase.with { database in
            let outcomes = try await Self.together(
                [Self.event("u", .live, "d"), Self.event("u", .live, "d"), Self.event("u", .live, "d")], database)
            #expect(outcomes == [.accepted, .duplicate, .duplicate])
            #expect(try await database.admin.query("select 1 from dialtone.events").count == 1)
            #expect(try await database.admin.query("select 1 from dialtone.jobs").count == 1)
        }
    }

    /// With `duplicate` as its answer the sender would believe that the second event is stored.
    @Test func `a delivery id that belongs to another event is refused`() async throws {
        try await TestDatabase.with { database in
            let (answers, answer) = AsyncStream<Result<Receipt, IntakeError>>.makeStream()
            let writer = Self.writer(database)
            for event in [
                try Self.event("a", .live, "d"), try Self.event("a", .live, "d"), try Self.event("b", .live, "d"),
                try Self.event("a", .gone, "d"),
            ] {
                writer.write(NewDelivery(event)) { answer.yield($0) }
            }
            let run = Task { await writer.run() }
            var statuses: [String] = []
            for await result in answers.prefix(4) {
                switch result {
                case .success(let receipt): statuses.append(receipt.status.rawValue)
                case .failure(let error): statuses.append("\(error)")
                }
            }
            run.cancel()
            await run.value
            #expect(statuses == ["accepted", "duplicate", "deliveryReused", "deliveryReused"])
        }
    }

    @Test func `an event that the database refuses does not stop the others in its batch`() async throws {
        try await TestDatabase.with { database in
            var events = try (0..<256).map { try Self.event("u-\($0)", .live, "d-\($0)") }
            events[100] = try Self.event("u-100", .live, String(repeating: "x", count: 300))
            let outcomes = try await Self.together(events, database)
            #expect(outcomes.enumerated().allSatisfy { $1 == ($0 == 100 ? nil : .accepted) })
            for table in ["events", "users", "jobs"] {
                let rows = try await database.admin.query(SQL(stringLiteral: "select 1 from dialtone.\(table)"))
                #expect(rows.count == 255, "\(table)")
            }
        }
    }

    /// Each half would wait for the same lock, and its senders with it.
    @Test func `a batch that fails on a lock is refused as a whole and not halved`() async throws {
        try await TestDatabase.with { database in
            var configuration = try PostgresConfiguration(url: database.url)
            configuration.settings = ["role": "dialtone_service", "lock_timeout": "200"]
            let pool = PostgresPool(PostgresPool.Configuration(configuration))
            let failures = CountingLog()
            let writer = EventWriter(pool: pool, wakeup: Wakeup(), logger: Logger(label: "test") { _ in failures })
            let holder = try await PostgresConnection.connect(PostgresConfiguration(url: database.url))
            try await holder.script("begin; lock table dialtone.users")
            let answers = Self.submit(try (0..<100).map { try Self.event("u-\($0)", .live, "d-\($0)") }, to: writer)
            let outcomes = await withTaskGroup(of: Void.self) { group in
                group.addTask { await pool.run() }
                group.addTask { await writer.run() }
                defer { group.cancelAll() }
                return await Self.outcomes(answers, count: 100)
            }
            #expect(outcomes.allSatisfy { $0 == nil })
            #expect(failures.count == 1, "one statement has waited, for all of them")
            await holder.close()
        }
    }

    // MARK: Several users in one delivery

    @Test func `all users of a delivery are stored together in the delivery's order`() async throws {
        try await TestDatabase.with { database in
            let delivery = try Self.delivery(["b", "a", "c"], .live, "d")
            let answers = try await Self.receipts([delivery, delivery], database)
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
            let answers = try await Self.receipts(
                [
                    try Self.delivery(["a", "b", "a", "a"], .live, "d1"), try Self.delivery(["b", "b"], .gone, "d2"),
                    try Self.delivery(["a", "b", "a", "a"], .live, "d1"),
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
            let answers = try await Self.receipts(
                [
                    try Self.delivery(["a", "b"], .live, "d1"), try Self.delivery(["c", "d", "c"], .live, broken),
                    try Self.delivery(["e"], .live, "d3"),
                ], database)
            #expect(answers == ["accepted accepted", "unavailable", "accepted"])
            let users = try await database.admin.query("select user_id from dialtone.users order by 1")
                .map { try $0.decode(String.self) }
            #expect(users == ["a", "b", "e"])
        }
    }

    @Test func `nothing is added to a delivery that is already stored`() async throws {
        try await TestDatabase.with { database in
            _ = try await Self.receipts([try Self.delivery(["a", "b"], .live, "d")], database)
            let answers = try await Self.receipts([try Self.delivery(["a", "b", "c"], .live, "d")], database)
            #expect(answers == ["deliveryReused"])
            let other = try await Self.receipts([try Self.delivery(["a", "c"], .live, "d")], database)
            #expect(other == ["deliveryReused"])
            #expect(try await database.admin.query("select 1 from dialtone.users").count == 2)
        }
    }

    @Test func `a delivery larger than a batch is stored in one commit`() async throws {
        try await TestDatabase.with { database in
            let users = (0..<600).map { "u-\($0)" }
            let answers = try await Self.receipts(
                [try Self.delivery(["first"], .live, "d0"), try Self.delivery(users, .live, "d1")], database)
            #expect(answers[1] == Array(repeating: "accepted", count: 600).joined(separator: " "))
            let commits = try await database.admin.query("select distinct xmin::text from dialtone.events")
            #expect(commits.count == 2)
        }
    }

    @Test func `a stopped writer refuses waiting and later events`() async throws {
        try await TestDatabase.with { database in
            let writer = Self.writer(database)
            let waiting = Self.submit([try Self.event("u", .live, "d")], to: writer)
            let run = Task { await writer.run() }  // unstructured, so that it is cancelled before it has begun
            run.cancel()
            await run.value
            #expect(await Self.outcomes(waiting, count: 1) == [nil])
            #expect(await Self.write([try Self.event("late", .live, "late")], by: writer) == [nil])
            #expect(try await database.admin.query("select 1 from dialtone.events").isEmpty)
        }
    }

    @Test func `events beyond the waiting limit of one source or of all are refused at once`() async throws {
        try await TestDatabase.with { database in
            let writer = Self.writer(database)
            let (answers, answer) = AsyncStream<EventOutcome?>.makeStream()
            let event = try Self.event("u", .live, "d")
            // First one source sends one event too many, and there is room for others. Then all sources together do.
            for _ in 0...EventWriter.maximumWaitingOfSource {
                writer.write(NewDelivery(event)) { answer.yield($0.outcome) }
            }
            var left = EventWriter.maximumWaiting - EventWriter.maximumWaitingOfSource
            while left >= 0 {
                let other = try Self.event("u", .live, "d", from: SourceID(rawValue: UUID()))
                for _ in 0..<1000 where left >= 0 {
                    writer.write(NewDelivery(other)) { answer.yield($0.outcome) }
                    left -= 1
                }
            }
            answer.finish()
            #expect(await answers.reduce(into: [EventOutcome?]()) { $0.append($1) } == [nil, nil])
        }
    }

    /// The event of minute 4 waits for another node, which stores the same change for minute 2 and commits first.
    /// An event of minute 3 must still be superseded.
    @Test(arguments: [(Wanted.live, Wanted.gone), (.gone, .live)])
    func `a newer event that changes nothing still supersedes an older one that comes later`(
        _ first: Wanted, _ last: Wanted
    ) async throws {
        try await TestDatabase.with { database in
            #expect(try await Self.together([Self.event("u", first, "d1", at: 1)], database) == [.accepted])
            try await database.admin.script(
                """
                begin; update dialtone.users set wanted = '\(last.rawValue)', occurred_at = occurred_at + interval '1 minute'
                """)
            async let answer = Self.together([Self.event("u", last, "d4", at: 4)], database)
            let watcher = try await PostgresConnection.connect(PostgresConfiguration(url: database.url))
            let deadline = ContinuousClock.now + .seconds(30)
            while try await watcher.query(
                "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
            ).isEmpty { try #require(ContinuousClock.now < deadline, "it does not wait for the other node") }
            await watcher.close()
            try await database.admin.script("commit")
            #expect(try await answer == [.duplicate])
            #expect(try await Self.together([Self.event("u", first, "d3", at: 3)], database) == [.superseded])
        }
    }

    @Test func `two nodes that store the same users in crossed order neither block nor repeat`() async throws {
        try await TestDatabase.with { database in
            let (here, there) = (Self.writer(database), Self.writer(database))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await here.run() }
                group.addTask { await there.run() }
                for round in 0..<20 {
                    let wanted: Wanted = round.isMultiple(of: 2) ? .live : .gone
                    let events = try (0..<100).map { number in
                        try Self.event("u-\(number)", wanted, "d-\(round)-\(number)", at: round)
                    }
                    async let one = Self.write(events, by: here)
                    async let other = Self.write(events.reversed(), by: there)
                    let outcomes = await zip(one, other.reversed()).map { [$0, $1] }
                    #expect(
                        outcomes.allSatisfy { $0.contains(.accepted) && $0.contains(.duplicate) },
                        "each delivery is accepted once and known once")
                }
                group.cancelAll()
            }
            #expect(try await database.admin.query("select 1 from dialtone.events").count == 2000)
        }
    }

    // MARK: Events and outcomes

    private static func event(
        _ user: String, _ wanted: Wanted, _ delivery: String, at minute: Int? = nil,
        from source: SourceID = source
    ) throws -> NewEvent {
        let key = UserKey(tenant: try TenantID("acme"), user: try UserID(user))
        return NewEvent(
            id: EventID(at: Date()), source: source, deliveryID: delivery, receivedAt: Date(), owner: "acme",
            change: UserChange(
                user: key, wanted: wanted, occurredAt: minute.map { Self.morning + TimeInterval($0) * 60 }))
    }

    private static func delivery(_ users: [String], _ wanted: Wanted, _ delivery: String) throws -> NewDelivery {
        let changes = try users.map { user in
            UserChange(
                user: UserKey(tenant: try TenantID("acme"), user: try UserID(user)), wanted: wanted, occurredAt: nil)
        }
        return NewDelivery(try Self.event("none", .live, delivery), asking: changes)
    }

    /// Submits all deliveries before the writer starts. Returns each one's statuses or error, in the same order.
    private static func receipts(_ deliveries: [NewDelivery], _ database: TestDatabase) async throws -> [String] {
        let writer = Self.writer(database)
        let (answers, answer) = AsyncStream<(place: Int, text: String)>.makeStream()
        for (place, delivery) in deliveries.enumerated() {
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

    private static func writer(_ database: TestDatabase) -> EventWriter {
        EventWriter(
            pool: database.pool, wakeup: Wakeup(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// Submits all events before the writer starts. Returns their outcomes in the same order; nil means refused.
    private static func together(_ events: [NewEvent], _ database: TestDatabase) async throws -> [EventOutcome?] {
        let writer = Self.writer(database)
        let answers = Self.submit(events, to: writer)
        return await withTaskGroup(of: Void.self) { group in
            group.addTask { await writer.run() }
            defer { group.cancelAll() }
            return await Self.outcomes(answers, count: events.count)
        }
    }

    private static func write(_ events: [NewEvent], by writer: EventWriter) async -> [EventOutcome?] {
        await Self.outcomes(Self.submit(events, to: writer), count: events.count)
    }

    private typealias Answers = AsyncStream<(place: Int, outcome: EventOutcome?)>

    private static func submit(_ events: [NewEvent], to writer: EventWriter) -> Answers {
        let (answers, answer) = Answers.makeStream()
        for (place, event) in events.enumerated() {
            writer.write(NewDelivery(event)) { answer.yield((place, $0.outcome)) }
        }
        return answers
    }

    private static func outcomes(_ answers: Answers, count: Int) async -> [EventOutcome?] {
        var outcomes = [EventOutcome?](repeating: nil, count: count)
        for await (place, outcome) in answers.prefix(count) { outcomes[place] = outcome }
        return outcomes
    }
}

extension Result<Receipt, IntakeError> {
    fileprivate var outcome: EventOutcome? { try? self.get().status }
}

/// Counts the lines logged.
private struct CountingLog: LogHandler {
    private let lines = Lines()
    var count: Int { self.lines.count.load(ordering: .relaxed) }
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.warning

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) { self.lines.count.add(1, ordering: .relaxed) }

    private final class Lines: Sendable { let count = Atomic(0) }
}
