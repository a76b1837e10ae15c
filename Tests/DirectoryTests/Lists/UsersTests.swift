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
            try await DirectoryBed.add(names, to: "acme", database)
            try await DirectoryBed.add(["other"], to: "globex", database)
            let (acme, users) = (try TenantID("acme"), try DirectoryBed.users(database))
            for size in [1, 7, 30, 200] {
                var found: [String] = []
                var cursor: UserID?
                repeat {
                    let page = try await users.list(of: acme, after: cursor, limit: size)
                    #expect(page.users.count <= size)
                    found += page.users.map(\.userID)
                    cursor = page.next?.user
                } while cursor != nil
                #expect(
                    found == names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }, "by bytes, pages of \(size)")
            }
        }
    }

    @Test func `row-level security hides other tenants from a statement without a tenant condition`() async throws {
        try await TestDatabase.with { database in
            try await DirectoryBed.add(["a"], to: "acme", database)
            try await DirectoryBed.add(["g", "h"], to: "globex", database)
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

    @Test func `the tenant role reads of secrets and keys no secret, proof or hash`() async throws {
        try await TestDatabase.with { database in
            let hidden = try await database.admin.query(
                """
                select relation.name || '.' || attname from pg_attribute
                join (values ('source_secrets'), ('api_keys')) relation (name)
                  on attrelid = ('dialtone.' || relation.name)::regclass
                where attnum > 0 and not attisdropped
                  and not has_column_privilege('dialtone_tenant', attrelid, attnum, 'select')
                order by 1
                """
            ).map { try $0.decode(String.self) }
            #expect(hidden == ["api_keys.hash", "source_secrets.proof", "source_secrets.sealed"])
        }
    }

    /// Asked directly: in a list the rows of `sources` are hidden anyway.
    @Test func `a tenant reads secrets of its own sources, of no other tenant's and of no shared one`() async throws {
        try await TestDatabase.with { database in
            let globex = try TenantID("globex")
            try await database.insert(
                Ledger.tenant(), Ledger.tenant(globex),
                """
                insert into dialtone.sources (source_id, tenant_id, allowed_tenants, slug, hook_id, preset)
                values ('00000000-0000-0000-0000-00000000000a', 'acme', '{}', 'app', 'hk_1', 'standard'),
                       ('00000000-0000-0000-0000-00000000000b', 'globex', '{}', 'app', 'hk_2', 'standard'),
                       ('00000000-0000-0000-0000-00000000000c', null, array['acme'], 'shared', 'hk_3', 'standard')
                """,
                """
                insert into dialtone.source_secrets (secret_id, source_id, tenant_id, sealed)
                select source_id, source_id, coalesce(tenant_id, '-'), sha256('x') from dialtone.sources
                """)
            let secrets: SQL = "select tenant_id from dialtone.source_secrets order by tenant_id"
            for own in [testTenant, globex] {
                let seen = try await database.pool.withTransaction { connection in
                    _ = try await connection.query(TenantReads.wall(own, timeLimit: nil))
                    return try await connection.query(secrets).map { try $0.decode(String.self) }
                }
                #expect(seen == [own.rawValue])
            }
            let all = try await database.pool.query(secrets).map { try $0.decode(String.self) }
            #expect(all == ["-", "acme", "globex"], "the service sees each")
        }
    }

    @Test func `a user is shown only under that user's own tenant`() async throws {
        try await TestDatabase.with { database in
            try await DirectoryBed.add(["a"], to: "acme", database)
            let users = try DirectoryBed.users(database)
            let (acme, globex, a) = (try TenantID("acme"), try TenantID("globex"), try UserID("a"))
            #expect(try await users.show(UserKey(tenant: acme, user: a))?.userID == "a")
            let foreign = try await users.show(UserKey(tenant: globex, user: a))
            #expect(foreign?.userID == nil)
            let stranger = Reader(tenant: globex)
            #expect(try await users.show(UserKey(tenant: acme, user: a), as: stranger)?.userID == nil)
        }
    }
}
