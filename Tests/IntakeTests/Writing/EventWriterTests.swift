// SPDX-License-Identifier: Apache-2.0
// A group commit gives each event its own outcome, whatever shares its batch, and keeps a user's events in order.

import Foundation
import Logging
import Model
import Postgres
import Queue
import TestSupport
import Testing

@testable import Intake

@Suite struct EventWriterTests {
    @Test func `a user's events in one batch are decided one after the other`() async throws {
        try await TestDatabase.with { database in
            let outcomes = try await WriterBed.together(
                [
                    NewEvent.of("u", .live, "d1", at: 1), NewEvent.of("u", .gone, "d2", at: 2),
                    NewEvent.of("u", .live, "d3", at: 1), NewEvent.of("u", .live, "d4", at: 3),
                    NewEvent.of("v", .live, "d5"), NewEvent.of("v", .live, "d6"), NewEvent.of("v", .gone, "d7"),
                    NewEvent.of("v", .live, "d8"),
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
            let outcomes = try await WriterBed.together(
                [NewEvent.of("u", .live, "d"), NewEvent.of("u", .live, "d"), NewEvent.of("u", .live, "d")], database)
            #expect(outcomes == [.accepted, .duplicate, .duplicate])
            #expect(try await database.admin.query("select 1 from dialtone.events").count == 1)
            #expect(try await database.admin.query("select 1 from dialtone.jobs").count == 1)
        }
    }

    /// With `duplicate` as its answer the sender would believe that the second event is stored.
    @Test func `a delivery id that belongs to another event is refused`() async throws {
        try await TestDatabase.with { database in
            let (answers, answer) = AsyncStream<Result<Receipt, IntakeError>>.makeStream()
            let writer = EventWriter(on: database)
            for event in [
                try NewEvent.of("a", .live, "d"), try NewEvent.of("a", .live, "d"), try NewEvent.of("b", .live, "d"),
                try NewEvent.of("a", .gone, "d"),
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
            var events = try (0..<256).map { try NewEvent.of("u-\($0)", .live, "d-\($0)") }
            events[100] = try NewEvent.of("u-100", .live, String(repeating: "x", count: 300))
            let outcomes = try await WriterBed.together(events, database)
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
            let answers = writer.submit(try (0..<100).map { try NewEvent.of("u-\($0)", .live, "d-\($0)") })
            let outcomes = await withTaskGroup(of: Void.self) { group in
                group.addTask { await pool.run() }
                group.addTask { await writer.run() }
                defer { group.cancelAll() }
                return await WriterBed.outcomes(answers, count: 100)
            }
            #expect(outcomes.allSatisfy { $0 == nil })
            #expect(failures.count == 1, "one statement has waited, for all of them")
            await holder.close()
        }
    }

    /// An early look harms nothing: what it proves is decided by the job's quiet time.
    @Test func `a revoke makes a job in doubt due at once`() async throws {
        try await TestDatabase.with { database in
            let key = UserKey(tenant: testTenant, user: try UserID("u"))
            try await database.insert(Ledger.user(key), Ledger.job(of: key, state: .inDoubt, isDoubtful: true))
            try await database.admin.script(
                "update dialtone.jobs set run_at = now() + interval '1 hour', quiet_until = now() + interval '1 hour'")
            let revoke = try NewEvent.of("u", .gone, "d")
            #expect(try await WriterBed.together([revoke], database) == [.accepted])
            let due: SQL = """
                select 1 from dialtone.jobs
                where state = 'in_doubt' and run_at <= clock_timestamp() and quiet_until > now()
                """
            #expect(try await database.admin.query(due).count == 1)
        }
    }

    /// It is the natural moment to try again. A word without a time asks so too, and a user who waits is not hurried.
    @Test(arguments: [5, nil])
    func `a duplicate sign-up of a user who has failed tries again`(minute: Int?) async throws {
        try await TestDatabase.with { database in
            let failed = UserKey(tenant: testTenant, user: try UserID("failed"))
            let waiting = UserKey(tenant: testTenant, user: try UserID("waiting"))
            try await database.insert(
                Ledger.user(failed, status: .failed), Ledger.deadJob(of: failed, mayExist: true), Ledger.user(waiting),
                Ledger.job(of: waiting, state: .scheduled),
                "update dialtone.jobs set run_at = now() + interval '1 hour'")
            let outcomes = try await WriterBed.together(
                [
                    NewEvent.of("failed", .live, "d1", at: minute), NewEvent.of("waiting", .live, "d2", at: minute),
                ], database)
            #expect(outcomes == [.duplicate, .duplicate])
            let jobs = try await database.admin.query(
                """
                select concat_ws(' ', user_id, status, state, in_doubt, run_at <= clock_timestamp())
                from dialtone.jobs join dialtone.users using (tenant_id, user_id) order by user_id
                """
            ).map { try $0.decode(String.self) }
            #expect(jobs == ["failed pending in_doubt t t", "waiting pending scheduled f f"])
        }
    }

    @Test func `a stopped writer refuses waiting and later events`() async throws {
        try await TestDatabase.with { database in
            let writer = EventWriter(on: database)
            let waiting = writer.submit([try NewEvent.of("u", .live, "d")])
            let run = Task { await writer.run() }  // unstructured, so that it is cancelled before it has begun
            run.cancel()
            await run.value
            #expect(await WriterBed.outcomes(waiting, count: 1) == [nil])
            #expect(await writer.outcomes(of: [try NewEvent.of("late", .live, "late")]) == [nil])
            #expect(try await database.admin.query("select 1 from dialtone.events").isEmpty)
        }
    }
}
