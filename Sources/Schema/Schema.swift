// SPDX-License-Identifier: Apache-2.0
// The schema's version: `dialtone migrate` brings it up to date, and each start checks it before anything else.
//
// A migration is a numbered file of migrations/, embedded in the program. The table dialtone.schema_migrations holds
// the version and the checksum of each one that was applied. A program starts only on the schema that it knows. A
// program that runs already goes on beside a newer one, because a migration is compatible with the version before it.
//
// `Roles` makes what must be there before the first file. `Waiting` says for whom a migration waits. `Server` tries the
// server, the way to it and the login.

package import Foundation
package import Postgres

/// One migration and the time it was applied, or nil when it is missing.
package struct MigrationStatus: Sendable {
    package let migration: Migration
    package let appliedAt: Date?
}

/// How one run of `migrate` is done.
package struct MigrateOptions: Sendable {
    /// How long a lock is waited for.
    package var wait: Duration = .seconds(60)
    /// A login that is to serve: it becomes a member of dialtone_service.
    package var servingLogin: String?
    /// Whether only the roles and the empty schema are made, into which a dump is read back.
    package var makesRolesOnly = false
    /// A second connection to the same server, which finds out who holds a lock.
    package var watcher: PostgresConnection?
    /// Gets a line before a long wait.
    package var tell: @Sendable (String) -> Void = { _ in }

    package init() {}
}

/// Applies and checks `Migration.all`.
package struct Schema: Sendable {
    private let migrations: [Migration]
    private let durability: Durability

    package init(migrations: [Migration] = Migration.all, durability: Durability = .server) {
        self.migrations = migrations
        self.durability = durability
    }

    /// Applies the missing migrations and returns them. Each file is one transaction, which claims its version first.
    ///
    /// The session advisory lock makes a second migrator wait. It then finds nothing to do. Throws `.waitedTooLong`
    /// when a lock does not become free in time.
    /// Cancelled here: the statement under way is stopped and its file rolled back.
    package func migrate(
        on connection: PostgresConnection, _ options: MigrateOptions = MigrateOptions()
    ) async throws -> [Migration] {
        try await ServerRequirements.verify(on: connection)
        try await MigrationLock.take(on: connection, options)
        do {
            let applied = try await LockWatch.during(options, of: connection) {
                try await Preparation(options).run(on: connection)
                return options.makesRolesOnly ? [] : try await self.applyMissing(on: connection)
            }
            await MigrationLock.release(on: connection)
            return applied
        } catch {
            await MigrationLock.release(on: connection)
            throw error
        }
    }

    private func applyMissing(on connection: PostgresConnection) async throws -> [Migration] {
        try await Preparation.makeTableOfVersions(on: connection)
        let pending = try await self.statusForMigrator(on: connection).filter { $0.appliedAt == nil }.map(\.migration)
        for migration in pending { try await self.apply(migration, on: connection) }
        return pending
    }

    /// Returns each migration with the time it was applied. Changes nothing. Throws when the database is ahead or a
    /// file has changed.
    package func status(on connection: PostgresConnection) async throws -> [MigrationStatus] {
        var applied: [Int32: (checksum: [UInt8], at: Date)] = [:]
        let exists = try await connection.query("select to_regclass('dialtone.schema_migrations') is not null")
        if let isThere = try exists.first?.decode(Bool.self), isThere {
            for row in try await connection.query(
                "select version, checksum, applied_at from dialtone.schema_migrations")
            {
                let (version, checksum, at) = try row.decode(Int32.self, Bytes.self, Date.self)
                applied[version] = (checksum.value, at)
            }
        }
        let known = Set(self.migrations.map(\.version))
        if let unknown = applied.keys.filter({ !known.contains($0) }).max() {
            throw SchemaError.ahead(version: unknown)
        }
        return try self.migrations.map { migration in
            guard let found = applied[migration.version] else {
                return MigrationStatus(migration: migration, appliedAt: nil)
            }
            guard found.checksum == migration.checksum else {
                throw SchemaError.changed(version: migration.version, name: migration.name)
            }
            return MigrationStatus(migration: migration, appliedAt: found.at)
        }
    }

    /// As `status`, for the login that migrates. It may have the right to become the owner and no other.
    package func statusForMigrator(on connection: PostgresConnection) async throws -> [MigrationStatus] {
        let owner = try await connection.query(
            """
            select 1 from pg_roles where rolname = 'dialtone_owner' and pg_has_role(current_user, oid,
                case when current_setting('server_version_num')::integer >= 160000 then 'set' else 'member' end)
            """)
        return try await connection.withTransaction {
            if !owner.isEmpty { _ = try await connection.query("set local role dialtone_owner") }
            return try await self.status(on: connection)
        }
    }

    /// Throws unless the schema is exactly the one this program knows and the server keeps what it acknowledges.
    package func verify(on connection: PostgresConnection) async throws {
        try await ServerRequirements.verify(on: connection)
        let missing = try await self.status(on: connection).count { $0.appliedAt == nil }
        guard missing == 0 else { throw SchemaError.behind(missing: missing) }
        try await self.durability.verify(on: connection)
    }

    /// As `verify`, for a program that runs already. A newer schema is no reason to stop, because a migration is
    /// compatible with the version before it. A server that takes no writes now is one: nothing could be stored.
    package func verifyWhileRunning(on connection: PostgresConnection) async throws {
        try await ServerRequirements.verifyTakesWrites(on: connection)
        do {
            try await self.verify(on: connection)
        } catch SchemaError.ahead {
            try await self.durability.verify(on: connection)
        }
    }

    private func apply(_ migration: Migration, on connection: PostgresConnection) async throws {
        try await connection.withTransaction {
            _ = try await connection.query("set local role dialtone_owner")
            _ = try await connection.query(
                """
                insert into dialtone.schema_migrations (version, name, checksum)
                values (\(migration.version), \(migration.name), \(Bytes(migration.checksum)))
                """)
            try await connection.script(migration.text)
        }
    }
}
