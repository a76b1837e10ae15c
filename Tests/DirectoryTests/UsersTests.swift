// SPDX-License-Identifier: Apache-2.0
// A tenant reads its own users only: every statement names the tenant, and row-level security is the second wall.

import Foundation
import Model
import Postgres
import TestSupport
import Testing
import Vault

@testable import Directory

@Suite struct UsersTests {
    @Test func `pages list every user once, in byte order, whatever their names`() async throws {
        try await TestDatabase.with { database in
            let names = (0..<23).map { "user-\($0)" } + ["Ä", "a b", "ä/%", "Z", "ζ", "\u{1F600}", "user-1'--"]
            try await Self.add(names, to: "acme", database)
            try await Self.add(["other"], to: "globex", database)
            let (acme, users) = (try TenantID("acme"), try Self.users(database))
            for size in [1, 7, 30, 200] {
                var found: [String] = []
                var cursor: UserID?
                repeat {
                    let page = try await users.list(of: acme, after: cursor, limit: size)
                    #expect(page.users.count <= size)
                    found += page.users.map(\.userID)
                    cursor = page.next
                } while cursor != nil
                #expect(
                    found == names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }, "by bytes, pages of \(size)")
            }
        }
    }

    @Test func `a status filter lists only the users with that status`() async throws {
        try await TestDatabase.with { database in
            try await Self.add(["a", "b", "c"], to: "acme", database)
            try await database.admin.script("update dialtone.users set status = 'failed' where user_id = 'b'")
            let page = try await Self.users(database).list(of: TenantID("acme"), after: nil, limit: 9, status: .failed)
            #expect(page.users.map(\.userID) == ["b"] && page.next == nil)
        }
    }

    @Test func `row-level security hides other tenants from a statement without a tenant condition`() async throws {
        try await TestDatabase.with { database in
            try await Self.add(["a"], to: "acme", database)
            try await Self.add(["g", "h"], to: "globex", database)
            for (tenant, seen) in [("acme", ["a"]), ("globex", ["g", "h"]), ("nobody", []), ("", [])] {
                let found = try await database.pool.withTransaction { connection in
                    _ = try await connection.query("set local role dialtone_tenant")
                    _ = try await connection.query("select set_config('dialtone.tenant', \(tenant), true)")
                    return try await connection.query("select user_id from dialtone.users order by 1")
                        .map { try $0.decode(String.self) }
                }
                #expect(found == seen, "\(tenant)")
            }
        }
    }

    /// Every table has row-level security, or the tenant role has no privilege on it.
    @Test func `the tenant role writes no table and reads only tables with row-level security`() async throws {
        try await TestDatabase.with { database in
            let open = try await database.admin.query(
                """
                select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
                where n.nspname = 'dialtone' and c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition
                  and has_table_privilege('dialtone_tenant', c.oid, 'select, insert, update, delete')
                  and not (c.relrowsecurity and c.relforcerowsecurity)
                """
            ).map { try $0.decode(String.self) }
            #expect(open.isEmpty)
            let written = try await database.admin.query(
                """
                select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
                where n.nspname = 'dialtone' and c.relkind in ('r', 'p')
                  and has_table_privilege('dialtone_tenant', c.oid, 'insert, update, delete, truncate')
                """)
            #expect(written.isEmpty)
        }
    }

    @Test func `a user is shown only under that user's own tenant`() async throws {
        try await TestDatabase.with { database in
            try await Self.add(["a"], to: "acme", database)
            let users = try Self.users(database)
            let (acme, globex, a) = (try TenantID("acme"), try TenantID("globex"), try UserID("a"))
            #expect(try await users.show(UserKey(tenant: acme, user: a))?.userID == "a")
            let foreign = try await users.show(UserKey(tenant: globex, user: a))
            #expect(foreign?.userID == nil)
            #expect(try await users.timeline(UserKey(tenant: globex, user: a)).isEmpty)
        }
    }

    private static func users(_ database: TestDatabase) throws -> Users {
        let text = LocalKeyEncryptionKey.generate()
        let kek = try LocalKeyEncryptionKey(uri: "env:KEK", environment: { _ in text }, file: { _ in "" })
        return Users(pool: database.pool, vault: Vault(keys: TenantKeys(pool: database.pool, kek: kek)))
    }

    private static func add(_ names: [String], to tenant: String, _ database: TestDatabase) async throws {
        let owner = try TenantID(tenant)
        try await database.insert(names.map { Ledger.user(UserKey(tenant: owner, user: try UserID($0))) })
    }
}
