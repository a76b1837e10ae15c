// SPDX-License-Identifier: Apache-2.0
// Several words of a person in one transaction take the locks of its users in everybody's order.

import Model
import Postgres
import TestSupport
import Testing

@testable import Intake

@Suite struct PeopleLoadTests {
    private static let transactions = 60

    @Test func `several words of a person in one transaction never deadlock over users that exist`()
        async throws
    {
        try await TestDatabase.with { database in
            try await PeopleLoad.prepare(database)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<3 {
                    group.addTask { try await Self.repeated(UInt64(number), database) { try await $0.tellPeople() } }
                }
                for number in 3..<5 {
                    group.addTask { try await Self.repeated(UInt64(number), database) { try await $0.tellUsers() } }
                }
                for number in 5..<7 {
                    group.addTask { try await Self.repeated(UInt64(number), database) { try await $0.finish() } }
                }
                try await group.waitForAll()
            }
            let deadlocks: SQL = "select deadlocks from pg_stat_database where datname = current_database()"
            let counted = try await database.admin.query(deadlocks).first?.decode(Int64.self)
            #expect(counted == Int64(0))
            let recorded = try await database.admin.query("select 1 from dialtone.credentials limit 1")
            #expect(recorded.count == 1, "workers were there")
        }
    }

    /// The words name the tenants against the order of the users' keys, and the other writer in that order.
    @Test func `a writer that meets new users crosswise with another one is tried again, and takes all in`()
        async throws
    {
        try await TestDatabase.with { database in
            try await WordBed.prepare(database)
            let others = try ["acme", "globex"].map { tenant in
                EventStatement.insert(
                    [
                        try NewEvent.of(
                            "u", .live, "d-\(tenant)", at: 5, from: WordBed.other, tenant: TenantID(tenant))
                    ], places: [tenant: 1])
            }
            let other = try await PostgresConnection.connect(PostgresConfiguration(url: database.url))
            // The other one does not look for a deadlock, so the writer is its victim.
            try await other.script("begin; set local deadlock_timeout = '60s'")
            _ = try await other.query(others[0])
            async let answers = TrackedWriterTests.receipts([[.joins("o3", 10), .joins("o1", 10)]], database)
            try await database.untilSomebodyWaitsForALock()
            _ = try await other.query(others[1])
            try await other.script("commit")
            #expect(try await answers == ["accepted accepted"])
            await other.close()
            #expect(try await WordBed.users(database) == ["acme u live", "globex u live"])
        }
    }

    private static func repeated(
        _ number: UInt64, _ database: TestDatabase, _ work: (inout PeopleLoad) async throws -> Void
    ) async throws {
        var load = try await PeopleLoad(number, database)
        for _ in 0..<Self.transactions { try await work(&load) }
        try await load.end()
    }
}
