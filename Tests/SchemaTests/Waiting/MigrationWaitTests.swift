// SPDX-License-Identifier: Apache-2.0
// A migration that waits says for whom, ends in time, and leaves nothing half done.

import Foundation
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import Schema

@Suite struct MigrationWaitTests {
    private static let holdLock: SQL = "select pg_advisory_lock(hashtextextended('dialtone.migrate', 0))::text"

    @Test func `a wait for another migrate names its process and ends in time`() async throws {
        try await TestDatabase.with { database in
            _ = try await database.admin.query(Self.holdLock)
            let lines = Lines()
            var options = MigrateOptions()
            options.wait = .milliseconds(300)
            options.tell = { lines.add($0) }
            let holder = "process \(await database.admin.backendPID) (idle)"
            let migrator = try await PostgresConnection.connect(PostgresConfiguration(url: database.url))
            let chosen = options
            let error = await #expect(throws: SchemaError.self) {
                _ = try await Schema().migrate(on: migrator, chosen)
            }
            await migrator.close()
            #expect(error?.description.contains(holder) == true && error?.description.contains("--wait") == true)
            #expect(lines.all == ["waiting for another dialtone migrate: \(holder)"])
        }
    }

    @Test func `a wait for a table names the process that has it, and the file is rolled back`() async throws {
        try await TestDatabase.with { database in
            let next = Migration(
                Int32(Migration.all.count + 1), "next",
                Array("create table dialtone.half (a int); alter table dialtone.tenants add column extra int".utf8))
            try await database.admin.script("begin; lock table dialtone.tenants in share mode")
            let lines = Lines()
            var options = MigrateOptions()
            options.wait = .seconds(3)
            options.watcher = try await PostgresConnection.connect(PostgresConfiguration(url: database.url))
            options.tell = { lines.add($0) }
            let migrator = try await PostgresConnection.connect(PostgresConfiguration(url: database.url))
            let holder = "process \(await database.admin.backendPID) (idle in transaction)"
            let chosen = options
            let error = await #expect(throws: SchemaError.self) {
                _ = try await Schema(migrations: Migration.all + [next]).migrate(on: migrator, chosen)
            }
            #expect(error?.description.contains(holder) == true)
            #expect(lines.all == ["waiting for a lock of \(holder)"])
            try await database.admin.script("rollback")
            let left = try await database.admin.query("select 1 from pg_tables where tablename = 'half'")
            #expect(left.isEmpty)
            let again = try await Schema(migrations: Migration.all + [next]).migrate(on: migrator)
            #expect(again.map(\.name) == ["next"], "the lock was given back")
            await options.watcher?.close()
            await migrator.close()
        }
    }

    @Test func `a migration that is cancelled while it waits ends, and gives its lock back`() async throws {
        try await TestDatabase.with { database in
            let next = Migration(
                Int32(Migration.all.count + 1), "next", Array("alter table dialtone.tenants add column extra int".utf8))
            let migrator = try await PostgresConnection.connect(PostgresConfiguration(url: database.url))
            try await database.admin.script("begin; lock table dialtone.tenants in share mode")
            let hasFailed = try await withThrowingTaskGroup(of: Bool.self) { group in
                group.addTask {
                    do {
                        _ = try await Schema(migrations: Migration.all + [next]).migrate(on: migrator)
                        return false
                    } catch {
                        return true
                    }
                }
                try await database.untilSomebodyWaitsForALock()
                group.cancelAll()
                return try await group.next()
            }
            #expect(hasFailed == true)
            try await database.admin.script("rollback")
            let again = try await Schema(migrations: Migration.all + [next]).migrate(on: migrator)
            #expect(again.map(\.name) == ["next"])
            await migrator.close()
        }
    }
}

/// The lines that a migration has told.
private final class Lines: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { self.lines.withLock { $0 } }
    func add(_ line: String) { self.lines.withLock { $0.append(line) } }
}
