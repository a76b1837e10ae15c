// SPDX-License-Identifier: Apache-2.0
// When the connection dies in COMMIT, the sender is told to try again, and then learns whether the event is stored.

import Foundation
import Logging
import Model
import Postgres
import PrivatePostgres
import Queue
import Schema
import TestSupport
import Testing

@testable import Intake

@Suite struct UnknownCommitTests {
    @Test func `an event stored by a commit whose reply was lost is a duplicate when sent again`() async throws {
        try await Self.withServer { server, admin in
            let pool = PostgresPool(.init(try PostgresConfiguration(url: server.url())))
            let writer = EventWriter(
                pool: pool, wakeup: Wakeup(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await pool.run() }
                group.addTask { await writer.run() }
                defer { group.cancelAll() }
                let commits = try await WaitingCommits(on: server, admin: admin)
                let event = try NewEvent.of("u", .live, "d")
                async let lost = Self.write(event, by: writer)
                try await commits.endOne("pg_terminate_backend")
                #expect(await lost == .failure(.unavailable), "nobody knows, so nobody says that it is stored")
                try await commits.end()
                let again = try await Self.write(NewEvent.of("u", .live, "d"), by: writer).get()
                #expect(again.status == .duplicate && again.eventID == event.id)
            }
            for table in ["events", "users", "jobs"] {
                let rows = try await admin.query(SQL(stringLiteral: "select 1 from dialtone.\(table)"))
                #expect(rows.count == 1, "\(table)")
            }
        }
    }

    private static func write(_ event: NewEvent, by writer: EventWriter) async -> Result<Receipt, IntakeError> {
        await withCheckedContinuation { waiting in
            writer.write(NewDelivery(event)) { waiting.resume(returning: $0) }
        }
    }

    private static func withServer(_ work: (PrivatePostgres, PostgresConnection) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("dialtone-commit-\(UUID())")
        let server = try await PrivatePostgres.start(in: folder)
        server.stopAtExit(removingData: true)
        let outcome: Result<Void, any Error>
        do {
            let admin = try await PostgresConnection.connect(PostgresConfiguration(url: server.url()))
            _ = try await Schema().migrate(on: admin)
            outcome = .success(try await work(server, admin))
            await admin.close()
        } catch {
            outcome = .failure(error)
        }
        try await server.stop(mode: "immediate")
        server.remove()
        try outcome.get()
    }
}
