// SPDX-License-Identifier: Apache-2.0
// A person who was erased and signs up again is somebody new: no generation of the person's is ever opened again.

import Directory
import Model
import Postgres
import TestSupport
import Testing

@testable import Intake

@Suite struct ErasedPersonTests {
    /// Lends a database whose user `user-1` was made, rotated once and revoked. The worker has done its part.
    private static func with(_ work: (TestDatabase) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            try await database.insert(Ledger.tenant())
            let outcomes = try await WriterBed.together(
                [NewEvent.of("user-1", .live, "d1", at: 1), NewEvent.of("user-1", .gone, "d2", at: 2)], database)
            #expect(outcomes == [.accepted, .accepted])
            try await database.insert(
                Ledger.credential(ProviderID(rawValue: "p-1"), generation: 1, status: .deleted),
                Ledger.credential(ProviderID(rawValue: "p-2"), generation: 2, status: .deleted))
            try await database.admin.script(
                "update dialtone.users set status = 'revoked', generation = 2; delete from dialtone.jobs")
            try await work(database)
        }
    }

    private static func erase(_ database: TestDatabase) async throws {
        _ = try await UserErasure(pool: database.pool, settle: .zero).erase(testUserKey)
    }

    /// User and generation of all who are wanted.
    private static func wanted(_ database: TestDatabase) async throws -> [String] {
        try await database.admin.query(
            "select user_id || ' ' || generation from dialtone.users where wanted = 'live' order by 1"
        ).map { try $0.decode(String.self) }
    }

    @Test func `an erased person who signs up again begins above every generation there was`() async throws {
        try await Self.with { database in
            try await Self.erase(database)
            let outcomes = try await WriterBed.together(
                [NewEvent.of("user-1", .live, "d3", at: 3), NewEvent.of("user-2", .live, "d4")], database)
            #expect(outcomes == [.accepted, .accepted])
            #expect(try await Self.wanted(database) == ["user-1 3", "user-2 3"])
        }
    }

    @Test func `a delivery from before an erasure is a duplicate and brings nobody back`() async throws {
        try await Self.with { database in
            try await Self.erase(database)
            let outcomes = try await WriterBed.together(
                [NewEvent.of("user-1", .live, "d1", at: 1), NewEvent.of("user-1", .gone, "d2", at: 2)], database)
            #expect(outcomes == [.duplicate, .duplicate])
            #expect(try await Self.wanted(database) == [])
        }
    }

    /// Its statement began before the erasure was committed, and waits for the user's lock behind it.
    @Test func `a sign-up that waits for an erasure begins above it`() async throws {
        try await Self.with { database in
            let holder = try await PostgresConnection.connect(PostgresConfiguration(url: database.url))
            try await holder.script("begin; select 1 from dialtone.users for update")
            async let erased: Void = Self.erase(database)
            try await Self.untilWaiting(1, database)
            async let outcomes = WriterBed.together([NewEvent.of("user-1", .live, "d3", at: 3)], database)
            try await Self.untilWaiting(2, database)
            try await holder.script("commit")
            try await erased
            #expect(try await outcomes == [.accepted])
            #expect(try await Self.wanted(database) == ["user-1 3"])
            await holder.close()
        }
    }

    private static func untilWaiting(_ count: Int64, _ database: TestDatabase) async throws {
        try await database.until(
            """
            select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
            having count(*) = \(count)
            """)
    }

    @Test func `an erased person whom a source of people brings back begins above it too`() async throws {
        try await TestDatabase.with { database in
            try await WordBed.prepare(database)
            try await database.admin.script("update dialtone.tenants set first_generation = 7 where tenant_id = 'acme'")
            _ = try await WordBed.say([.joins("o1", 1), .joins("o3", 1)], database)
            let generations = try await database.admin.query(
                "select tenant_id || ' ' || generation from dialtone.users order by 1"
            ).map { try $0.decode(String.self) }
            #expect(generations == ["acme 7", "globex 1"])
        }
    }
}
