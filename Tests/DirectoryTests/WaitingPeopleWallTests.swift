// SPDX-License-Identifier: Apache-2.0
// The functions that see what sources know of people tell a tenant of its own people alone.

import Model
import Postgres
import TestSupport
import Testing

@testable import Directory

@Suite struct WaitingPeopleWallTests {
    /// Asked directly: in a list the rows of `events` are hidden anyway.
    @Test func `the functions that see all people tell a tenant of its own alone`() async throws {
        try await EventsTests.with { _, database in
            try await EventsTests.addWaiting(database)
            let own = try await Self.people(toldTo: testTenant, database)
            #expect(own == "3 true")
            let foreign = try await Self.people(toldTo: try TenantID("globex"), database)
            #expect(foreign == "0 false")
        }
    }

    /// What a transaction of `reader` is told of the people of `acme`: how many wait, and whether one of them does.
    private static func people(toldTo reader: TenantID, _ database: TestDatabase) async throws -> String {
        try await database.pool.withTransaction { connection in
            _ = try await connection.query(TenantReads.wall(reader, timeLimit: nil))
            let rows = try await connection.query(
                """
                select (select count(*) from dialtone.who_waits(\(testTenant), 10))::text || ' '
                       || dialtone.still_waits(\(testTenant), \(EventsTests.source)::uuid, 'u-9')
                """)
            return try #require(rows.first).decode(String.self)
        }
    }
}
