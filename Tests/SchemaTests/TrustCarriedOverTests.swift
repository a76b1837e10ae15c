// SPDX-License-Identifier: Apache-2.0
// What a version before has trusted stays trusted when the ledger gets its eras, and nothing else does.

import Postgres
import TestSupport
import Testing

@testable import Schema

@Suite struct TrustCarriedOverTests {
    /// The state of the one row before, and which of the tenants are seen afterwards: `now` was swept under the present
    /// start, `before` under another one, and `never` not at all.
    private static let cases: [(change: String, looksFirst: Bool, seen: [String], hasLost: Bool)] = [
        ("restart", true, ["now"], true),
        ("restart", false, ["before", "now"], true),
        ("first", false, ["before", "never", "now"], false),
    ]

    @Test(arguments: cases.indices)
    func `a tenant that was trusted is seen in the ledger's first era`(_ number: Int) async throws {
        let given = Self.cases[number]
        try await TestDatabase.with(isEmpty: true) { database in
            _ = try await Schema(migrations: Migration.all.filter { $0.version < 16 }).migrate(on: database.admin)
            try await database.admin.script(
                """
                insert into dialtone.tenants (tenant_id, connection_id, swept_at, swept_under)
                values ('now', '1', now(), 5), ('before', '1', now(), 4), ('never', '1', null, null);
                insert into dialtone.tenant_tags (tenant_id, shard, tag) select tenant_id, 1, tenant_id
                from dialtone.tenants;
                insert into dialtone.incarnation (started, change, looks_first, looks_twice)
                values (5, '\(given.change)', \(given.looksFirst), false)
                """)
            _ = try await Schema().migrate(on: database.admin)
            #expect(try await Self.seen("tenants", database) == given.seen)
            #expect(try await Self.seen("tenant_tags", database) == given.seen)
            let row = try await database.admin.query(
                """
                select has_lost, pg_relation_filepath('dialtone.incarnation')
                                 like '%/' || database_oid || '/' || filenode
                from dialtone.incarnation
                """
            ).first
            let (hasLost, isHere) = try #require(row).decode(Bool.self, Bool.self)
            #expect(hasLost == given.hasLost && isHere)
        }
    }

    private static func seen(_ table: String, _ database: TestDatabase) async throws -> [String] {
        try await database.admin.query(
            """
            select tenant_id from dialtone.\(unsafeText: table), dialtone.incarnation where seen_era = era order by 1
            """
        ).map { try $0.decode(String.self) }
    }
}
