// SPDX-License-Identifier: Apache-2.0
// Each migration is applied once, completely or not at all, and no other schema is served.

import Foundation
import Postgres
import TestSupport
import Testing

@testable import Schema

@Suite struct SchemaTests {
    @Test func `a second migrate applies nothing`() async throws {
        try await TestDatabase.with(isEmpty: true) { database in
            let first = try await Schema().migrate(on: database.admin)
            let second = try await Schema().migrate(on: database.admin)
            #expect(first.map(\.version) == Migration.all.map(\.version))
            #expect(second.isEmpty)
            try await Schema().verify(on: database.admin)
            let pending = try await Schema().status(on: database.admin).filter { $0.appliedAt == nil }
            #expect(pending.isEmpty)
        }
    }

    @Test func `two migrators at the same time apply each migration once`() async throws {
        try await TestDatabase.with(isEmpty: true) { database in
            let applied = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<2 {
                    group.addTask {
                        try await database.pool.withConnection { try await Schema().migrate(on: $0).count }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }.sorted()
            }
            #expect(applied == [0, Migration.all.count])
        }
    }

    @Test func `an empty database is refused, and the error says what to run`() async throws {
        try await TestDatabase.with(isEmpty: true) { database in
            let error = await #expect(throws: SchemaError.self) { try await Schema().verify(on: database.admin) }
            #expect(error?.description.contains("dialtone migrate") == true)
        }
    }

    @Test func `a database with an unknown migration is refused`() async throws {
        try await TestDatabase.with { database in
            try await database.admin.script(
                "insert into dialtone.schema_migrations (version, name, checksum) values (99, 'later', '')")
            let error = await #expect(throws: SchemaError.self) { try await Schema().verify(on: database.admin) }
            #expect(error?.description.contains("migration 99") == true)
        }
    }

    @Test func `a migration that changed after it was applied is refused`() async throws {
        try await TestDatabase.with { database in
            try await database.admin.script("update dialtone.schema_migrations set checksum = '' where version = 2")
            let error = await #expect(throws: SchemaError.self) { try await Schema().migrate(on: database.admin) }
            #expect(error?.description.contains("migration 2 (tenants) was changed") == true)
        }
    }

    @Test func `a failed migration leaves nothing behind and gives its lock back`() async throws {
        try await TestDatabase.with { database in
            let last = try #require(Migration.all.map(\.version).max())
            let broken = Migration(
                last + 1, "broken", Array("create table dialtone.half (a int); select 1 / 0".utf8))
            let schema = Schema(migrations: Migration.all + [broken])
            await #expect(throws: PostgresError.self) { try await schema.migrate(on: database.admin) }
            let left = try await database.admin.query(
                """
                select 1 from dialtone.schema_migrations where version > \(last)
                union all
                select 1 from pg_tables where tablename = 'half'
                """)
            #expect(left.isEmpty)
            let again = try await Schema().migrate(on: database.admin)
            #expect(again.isEmpty, "the lock was given back")
        }
    }

    /// Without a policy for the owner `pg_dump --role=dialtone_owner` would refuse the table.
    @Test func `the owner may read and not change each table that is behind row-level security`() async throws {
        try await TestDatabase.with { database in
            let tables = try await database.admin.query(
                """
                select 1 from pg_class where relrowsecurity and relnamespace = 'dialtone'::regnamespace
                """)
            #expect(tables.count >= 8)
            let wrong = try await database.admin.query(
                """
                select name.oid::regclass::text
                from pg_class name left join pg_policy policy
                  on policy.polrelid = name.oid and 'dialtone_owner'::regrole = any(policy.polroles)
                where name.relrowsecurity and name.relnamespace = 'dialtone'::regnamespace
                  and (policy.polcmd is distinct from 'r' or pg_get_expr(policy.polqual, name.oid) <> 'true')
                """
            ).map { try $0.decode(String.self) }
            #expect(wrong == [])
        }
    }

    @Test func `a server that takes no writes is no server to run on`() async throws {
        try await TestDatabase.with { database in
            let connection = try await PostgresConnection.connect(PostgresConfiguration(url: database.url))
            try await Schema().verifyWhileRunning(on: connection)
            try await connection.script("set default_transaction_read_only = on")
            let error = await #expect(throws: SchemaError.self) {
                try await Schema().verifyWhileRunning(on: connection)
            }
            #expect(error?.description.contains("takes no writes") == true)
            await connection.close()
        }
    }

    /// The SQL that an administrator is told to run must suffice.
    @Test func `a login without rights is told the SQL that lets it migrate`() async throws {
        try await TestDatabase.with(isEmpty: true) { database in
            let login = "plain_\(UUID().uuidString.prefix(8).lowercased())"
            try await database.admin.script("create role \(login) login")
            let plain = try await PostgresConnection.connect(
                PostgresConfiguration(url: database.url.replacing("user=postgres", with: "user=\(login)")))
            let error = await #expect(throws: SchemaError.self) { try await Schema().migrate(on: plain) }
            guard case .rolesMissing(_, let sql, _)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(sql.contains("dialtone_tenant to \(login)"))
            try await database.admin.script(sql)
            #expect(try await Schema().migrate(on: plain).count == Migration.all.count)
            #expect(try await Schema().migrate(on: plain).isEmpty)
            await plain.close()
            try await database.admin.script("drop owned by \(login); drop role \(login)")
        }
    }
}
