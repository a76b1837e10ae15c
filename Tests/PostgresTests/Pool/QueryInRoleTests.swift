// SPDX-License-Identifier: Apache-2.0
// A statement in another role leaves neither the role nor its setting behind in the pool's connection.

import Postgres
import TestSupport
import Testing

@Suite struct QueryInRoleTests {
    private static let who: SQL = "select current_user::text, coalesce(current_setting('dialtone.tenant', true), '')"

    @Test func `a statement runs in its role with its setting, and both end with it`() async throws {
        try await TestDatabase.with(connections: 1) { database in
            for number in 1...3 {
                // A statement that is used again is prepared, and then runs from its plan.
                let tenant = "tenant-\(number)"
                let inside = try await database.pool.query(
                    Self.who, as: "dialtone_tenant", with: ("dialtone.tenant", tenant))
                let (role, setting) = try #require(inside.first).decode(String.self, String.self)
                #expect(role == "dialtone_tenant" && setting == tenant)
                try await Self.isItself(database)
            }
        }
    }

    @Test func `a failed statement and a refused role leave nothing behind either`() async throws {
        try await TestDatabase.with(connections: 1) { database in
            let failed = await #expect(throws: PostgresError.self) {
                try await database.pool.query(
                    "select 1 / 0", as: "dialtone_tenant", with: ("dialtone.tenant", "acme"))
            }
            #expect(failed?.sqlState == "22012")
            try await Self.isItself(database)
            let refused = await #expect(throws: PostgresError.self) {
                try await database.pool.query(Self.who, as: "nobody-is-this", with: ("dialtone.tenant", "acme"))
            }
            #expect(refused?.code == .server, "the statement itself must not run in the role of the service")
            try await Self.isItself(database)
        }
    }

    private static func isItself(_ database: TestDatabase) async throws {
        let row = try await database.pool.query(Self.who).first
        let (role, setting) = try #require(row).decode(String.self, String.self)
        #expect(role == "dialtone_service" && setting.isEmpty)
    }
}
