// SPDX-License-Identifier: Apache-2.0
// Events and deliveries of one source, and writers whose answers a test reads in the order in which it asked.

import Foundation
import Logging
import Model
import Queue
import TestSupport

@testable import Intake

enum WriterBed {
    static let source = SourceID(rawValue: UUID())
    private static let morning = Date(timeIntervalSince1970: 1_800_000_000)

    /// A sender's time of day. Without a minute the event has no time.
    static func time(ofMinute minute: Int?) -> Date? { minute.map { Self.morning + TimeInterval($0) * 60 } }

    /// Submits all events before the writer starts. Returns their outcomes in the same order; nil means refused.
    static func together(_ events: [NewEvent], _ database: TestDatabase) async throws -> [EventOutcome?] {
        let writer = EventWriter(on: database)
        let answers = writer.submit(events)
        return await withTaskGroup(of: Void.self) { group in
            group.addTask { await writer.run() }
            defer { group.cancelAll() }
            return await Self.outcomes(answers, count: events.count)
        }
    }

    /// Submits all deliveries before the writer starts. Returns each one's statuses or error, in the same order.
    static func receipts(_ deliveries: [NewDelivery], _ database: TestDatabase) async throws -> [String] {
        let writer = EventWriter(on: database)
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

    typealias Answers = AsyncStream<(place: Int, outcome: EventOutcome?)>

    /// Waits for so many answers. Returns them in the order of the events; nil means refused.
    static func outcomes(_ answers: Answers, count: Int) async -> [EventOutcome?] {
        var outcomes = [EventOutcome?](repeating: nil, count: count)
        for await (place, outcome) in answers.prefix(count) { outcomes[place] = outcome }
        return outcomes
    }
}

extension NewEvent {
    /// An event in a delivery of its own.
    static func of(
        _ user: String, _ wanted: Wanted, _ delivery: String, at minute: Int? = nil,
        from source: SourceID = WriterBed.source, tenant: TenantID = testTenant
    ) throws -> NewEvent {
        let key = UserKey(tenant: tenant, user: try UserID(user))
        return NewEvent(
            id: EventID(at: Date()), source: source, deliveryID: delivery, receivedAt: Date(),
            change: UserChange(user: key, wanted: wanted, occurredAt: WriterBed.time(ofMinute: minute)))
    }
}

extension NewDelivery {
    /// One delivery that asks the same for several users of tenant `acme`.
    static func of(_ users: [String], _ wanted: Wanted, _ delivery: String) throws -> NewDelivery {
        let changes = try users.map { user in
            UserChange(user: UserKey(tenant: testTenant, user: try UserID(user)), wanted: wanted, occurredAt: nil)
        }
        guard let all = NewDelivery(delivery, of: WriterBed.source, asking: changes, receivedAt: Date()) else {
            throw InvalidValue("users", "must not be empty")
        }
        return all
    }
}

extension EventWriter {
    convenience init(on database: TestDatabase) {
        self.init(
            pool: database.pool, wakeup: Wakeup(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// Hands the events over and does not wait.
    func submit(_ events: [NewEvent]) -> WriterBed.Answers {
        let (answers, answer) = WriterBed.Answers.makeStream()
        for (place, event) in events.enumerated() {
            self.write(NewDelivery(event)) { answer.yield((place, $0.outcome)) }
        }
        return answers
    }

    /// Writes the events. Returns their outcomes in the same order; nil means refused.
    func outcomes(of events: [NewEvent]) async -> [EventOutcome?] {
        await WriterBed.outcomes(self.submit(events), count: events.count)
    }
}

extension Result<Receipt, IntakeError> {
    /// Nil means refused.
    var outcome: EventOutcome? { try? self.get().status }
}
