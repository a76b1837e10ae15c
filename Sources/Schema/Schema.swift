// SPDX-License-Identifier: Apache-2.0
// The schema's version: `dialtone migrate` brings it up to date, and each start checks it before anything else.
//
// A migration is a numbered file of migrations/, embedded in the program. The table dialtone.schema_migrations holds
// the version and the checksum of each one that was applied. A program starts only on the schema that it knows. A
// program that runs already goes on beside a newer one, because a migration is compatible with the version before it.

package import Foundation
package import Postgres

package enum SchemaError: Error, CustomStringConvertible {
    /// The database lacks migrations that this program needs.
    case behind(missing: Int)
    /// The database has migrations that this program does not know.
    case ahead(version: Int32)
    /// A file has changed since it was applied.
    case changed(version: Int32, name: String)
    /// The login may not make or grant roles. An administrator must run `sql`.
    case rolesMissing(sql: String)
    /// The server may lose commits that it has acknowledged.
    case notDurable(setting: String)

    package var description: String {
        switch self {
        case .behind(let missing):
            "the database lacks \(missing) migration\(missing == 1 ? "" : "s"); run: dialtone migrate"
        case .ahead(let version):
            "the database has migration \(version), which this version of dialtone does not know; use a newer dialtone"
        case .changed(let version, let name):
            "migration \(version) (\(name)) was changed after it was applied; put the original file back"
        case .rolesMissing(let sql):
            "this login may not do that itself; have an administrator run, then migrate again:\n\(sql)"
        case .notDurable(let setting):
            "the server has \(setting)=off and could lose what it acknowledged; turn it on"
        }
    }
}

/// One migration and the time it was applied, or nil when it is missing.
package struct MigrationStatus: Sendable {
    package let migration: Migration
    package let appliedAt: Date?
}

/// Applies and checks `Migration.all`.
package struct Schema: Sendable {
    private static let roles = ["dialtone_owner", "dialtone_service", "dialtone_tenant"]
    private let migrations: [Migration]

    package init(migrations: [Migration] = Migration.all) { self.migrations = migrations }

    /// Applies the missing migrations and returns them. Each file is one transaction, which claims its version first.
    ///
    /// The session advisory lock makes a second migrator wait. It then finds nothing to do.
    package func migrate(on connection: PostgresConnection) async throws -> [Migration] {
        _ = try await connection.query("select pg_advisory_lock(hashtextextended('dialtone.migrate', 0))::text")
        do {
            try await self.prepare(connection)
            let pending = try await self.status(on: connection).filter { $0.appliedAt == nil }.map(\.migration)
            for migration in pending { try await self.apply(migration, on: connection) }
            _ = try await connection.query("select pg_advisory_unlock(hashtextextended('dialtone.migrate', 0))::text")
            return pending
        } catch {
            _ = try? await connection.query("select pg_advisory_unlock(hashtextextended('dialtone.migrate', 0))::text")
            throw error
        }
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

    /// Throws unless the schema is exactly the one this program knows and the server keeps what it acknowledges.
    package func verify(on connection: PostgresConnection) async throws {
        let missing = try await self.status(on: connection).count { $0.appliedAt == nil }
        guard missing == 0 else { throw SchemaError.behind(missing: missing) }
        try await self.verifyDurability(on: connection)
    }

    /// As `verify`, for a program that runs already. A newer schema is no reason to stop, because a migration is
    /// compatible with the version before it.
    package func verifyWhileRunning(on connection: PostgresConnection) async throws {
        do {
            try await self.verify(on: connection)
        } catch SchemaError.ahead {
            try await self.verifyDurability(on: connection)
        }
    }

    /// Throws when a setting lets the server lose commits that it has acknowledged.
    private func verifyDurability(on connection: PostgresConnection) async throws {
        for setting in ["fsync", "full_page_writes", "synchronous_commit"] {
            let value = try await connection.query("select current_setting(\(setting))").first?.decode(String.self)
            guard value != "off" else { throw SchemaError.notDurable(setting: setting) }
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

    /// Makes the roles, the schema and the table of versions. Throws `.rolesMissing` when the login has no right to.
    private func prepare(_ connection: PostgresConnection) async throws {
        let database =
            try await connection.query("select quote_ident(current_database())").first?.decode(String.self) ?? ""
        do {
            for role in Self.roles { try await self.make(role, on: connection) }
            // A grant that is there already is not repeated, because repeating it would need the right to grant.
            let isMember = try await connection.query(
                """
                select bool_and(pg_has_role(current_user, role, 'member'))
                from unnest(\(Self.roles)) as needed (role)
                """)
            if try isMember.first?.decode(Bool.self) ?? false == false {
                try await connection.script("grant \(Self.roles.joined(separator: ", ")) to current_user")
            }
            let mayCreate = try await connection.query(
                "select has_database_privilege('dialtone_owner', current_database(), 'create')")
            if try mayCreate.first?.decode(Bool.self) ?? false == false {
                try await connection.script("grant create on database \(database) to dialtone_owner")
            }
            try await connection.script(
                """
                create schema if not exists dialtone authorization dialtone_owner;
                set role dialtone_owner;
                create table if not exists dialtone.schema_migrations (
                    version integer primary key, name text not null, checksum bytea not null,
                    applied_at timestamptz not null default now());
                reset role;
                """)
        } catch let error as PostgresError where error.sqlState == "42501" {
            throw SchemaError.rolesMissing(sql: try await self.rightsToGrant(for: database, on: connection))
        }
    }

    /// Returns the SQL that an administrator must run: the missing roles and the rights of this login.
    private func rightsToGrant(for database: String, on connection: PostgresConnection) async throws -> String {
        let login = try await connection.query("select quote_ident(current_user)").first?.decode(String.self) ?? ""
        var made: [String] = []
        for role in Self.roles {
            let exists = try await connection.query("select 1 from pg_roles where rolname = \(role)")
            if exists.isEmpty { made.append("create role \(role) nologin;") }
        }
        made.append("grant \(Self.roles.joined(separator: ", ")) to \(login);")
        made.append("grant create on database \(database) to dialtone_owner;")
        return made.joined(separator: "\n")
    }

    /// Makes a role if there is none of that name.
    ///
    /// Roles belong to the whole server, so the migrator of another database may make one at the same moment. "Exists
    /// already" (42710, or a unique violation) is as good.
    private func make(_ role: String, on connection: PostgresConnection) async throws {
        let exists = try await connection.query("select 1 from pg_roles where rolname = \(role)")
        guard exists.isEmpty else { return }
        do throws(PostgresError) {
            try await connection.script("create role \(role) nologin")
        } catch {
            guard error.sqlState == "42710" || error.isUniqueViolation else { throw error }
        }
    }
}
