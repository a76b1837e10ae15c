// SPDX-License-Identifier: Apache-2.0
// However much a sender has in the line, another sender's event is in the next commit.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Intake

@Suite struct FairWriterTests {
    private static let flood = 5_000

    /// What noisy senders do before the other one's event comes.
    enum Noise: CaseIterable {
        case oneUser, oneDelivery, manyUsers, threeSources, threeTenants, largeDeliveries

        func deliveries() throws -> [NewDelivery] {
            let sources = (0..<3).map { _ in SourceID(rawValue: UUID()) }
            let tenants = try ["acme", "initech", "hooli"].map { try TenantID($0) }
            let count = self == .largeDeliveries ? 50 : FairWriterTests.flood
            return try (0..<count).map { number in
                let (user, id) = ("u-\(number)", "d-\(number)")
                let third = number % 3
                switch self {
                case .oneUser: return NewDelivery(try NewEvent.of("u", .live, id))
                case .oneDelivery: return NewDelivery(try NewEvent.of("u", .live, "d"))
                case .manyUsers: return NewDelivery(try NewEvent.of(user, .live, id))
                case .threeSources: return NewDelivery(try NewEvent.of("u", .live, id, from: sources[third]))
                case .threeTenants:
                    return NewDelivery(
                        try NewEvent.of(user, .live, id, from: sources[third], tenant: tenants[third]))
                case .largeDeliveries: return try NewDelivery.of((0..<200).map { "\(user)-\($0)" }, .live, id)
                }
            }
        }
    }

    @Test(arguments: Noise.allCases)
    func `a sender that repeats one user, or one delivery, or sends many, holds nobody up`(
        _ noise: Noise
    ) async throws {
        try await TestDatabase.with { database in
            let writer = EventWriter(on: database)
            let (answers, answer) = AsyncStream<(isVictim: Bool, result: Result<Receipt, IntakeError>)>.makeStream()
            let deliveries = try noise.deliveries()
            for delivery in deliveries { writer.write(delivery) { answer.yield((false, $0)) } }
            let victim = try NewEvent.of(
                "victim", .live, "victim", from: SourceID(rawValue: UUID()), tenant: TenantID("globex"))
            writer.write(NewDelivery(victim)) { answer.yield((true, $0)) }
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await writer.run() }
                defer { group.cancelAll() }
                var stored = 0
                for await (isVictim, result) in answers {
                    if isVictim {
                        #expect(result.outcome == .accepted)
                        break
                    }
                    if result.outcome != nil { stored += 1 } else { #expect(result == .failure(.busy(retryAfter: 1))) }
                }
                #expect(stored < 100, "so many deliveries of others were answered before")
            }
        }
    }

    @Test func `the sources of one tenant cannot take all places`() async throws {
        try await TestDatabase.with { database in
            let writer = EventWriter(on: database)
            var taken = 0
            for source in 0..<4 {
                let id = SourceID(rawValue: UUID())
                for number in 0..<EventWriter.maximumWaitingOfSource {
                    let event = try NewEvent.of("u-\(source)-\(number)", .live, "d-\(number)", from: id)
                    if writer.write(NewDelivery(event), completion: { _ in }) { taken += 1 }
                }
            }
            #expect(taken == EventWriter.maximumWaitingOfSource)
            let other = try NewEvent.of("u", .live, "d", from: SourceID(rawValue: UUID()), tenant: TenantID("globex"))
            let isTaken = writer.write(NewDelivery(other), completion: { _ in })
            #expect(isTaken)
        }
    }

    @Test func `all tenants together can fill the line, and are told to come again`() async throws {
        try await TestDatabase.with { database in
            let writer = EventWriter(on: database)
            let tenants = try (0..<5).map { try TenantID("tenant-\($0)") }
            var taken = 0
            for number in 0..<EventWriter.maximumWaiting {
                let event = try NewEvent.of(
                    "u-\(number)", .live, "d-\(number)", from: Self.sources[number % 5], tenant: tenants[number % 5])
                if writer.write(NewDelivery(event), completion: { _ in }) { taken += 1 }
            }
            #expect(taken == EventWriter.maximumWaiting)
            let event = try NewEvent.of("u", .live, "d", from: SourceID(rawValue: UUID()), tenant: TenantID("late"))
            #expect(await Self.answer(to: event, from: writer) == .failure(.busy(retryAfter: 1)))
        }
    }

    private static let sources = (0..<5).map { _ in SourceID(rawValue: UUID()) }

    /// The answer of a writer that does not run comes at once or never.
    private static func answer(to event: NewEvent, from writer: EventWriter) async -> Result<Receipt, IntakeError> {
        await withCheckedContinuation { waiting in
            writer.write(NewDelivery(event)) { waiting.resume(returning: $0) }
        }
    }

    /// Each event is ten minutes newer than the one before and asks for the opposite. One that is out of order is
    /// superseded. Two sources less than five minutes apart would be a tie.
    @Test func `a user's events keep their order, also those of two sources beside a noisy third`() async throws {
        try await TestDatabase.with { database in
            let noisy = SourceID(rawValue: UUID())
            let second = SourceID(rawValue: UUID())
            var events = try (0..<1000).map { try NewEvent.of("u-\($0)", .live, "d-\($0)", from: noisy) }
            for minute in 0..<20 {
                events.append(
                    try NewEvent.of(
                        "ada", minute.isMultiple(of: 2) ? .live : .gone, "ada-\(minute)", at: minute * 10,
                        from: minute % 3 == 0 ? second : WriterBed.source))
            }
            let outcomes = try await WriterBed.together(events, database)
            #expect(outcomes.allSatisfy { $0 == .accepted })
        }
    }

    @Test func `a sender that was told to come again is stored when it does`() async throws {
        try await TestDatabase.with { database in
            let writer = EventWriter(on: database)
            let events = try (0..<20).map { try NewEvent.of("ada", .live, "d-\($0)") }
            let answers = writer.submit(events)
            let outcomes = await withTaskGroup(of: Void.self) { group in
                group.addTask { await writer.run() }
                defer { group.cancelAll() }
                let first = await WriterBed.outcomes(answers, count: 20)
                #expect(first.prefix(EventWriter.maximumWaitingAlike).allSatisfy { $0 != nil })
                let refused = zip(events, first).filter { $1 == nil }.map(\.0)
                #expect(refused.count == 20 - EventWriter.maximumWaitingAlike)
                return await writer.outcomes(of: refused)
            }
            #expect(outcomes == [.duplicate, .duplicate, .duplicate, .duplicate])
            #expect(try await database.admin.query("select 1 from dialtone.events").count == 20)
        }
    }
}
