// SPDX-License-Identifier: Apache-2.0
// The work behind the operator's commands: each call opens what it needs and closes it again.
//
// A command of the program reads its arguments, makes one call here, and prints the line that the call returns. The
// calls stand in files by their noun: tenants, users, limits, the sweep, the check. This file has what they share, and
// the schema.

import Model
package import Postgres
import Schema
import Vault

package struct Administration: Sendable {
    package let settings: Settings

    /// The version that `dialtone --version` prints and that CHANGELOG.md has as a heading.
    package static let version = "0.1.0-dev"

    package init(_ settings: Settings) { self.settings = settings }

    // MARK: Schema and keys

    /// Applies the migrations that are missing, or with `dryRun` only finds them. Returns them.
    package func migrate(dryRun: Bool) async throws -> [MigrationLine] {
        try await self.withDirectConnection { connection in
            if dryRun {
                return try await Schema().statusForMigrator(on: connection)
                    .filter { $0.appliedAt == nil }.map(\.migration)
            }
            return try await Schema().migrate(on: connection)
        }.map { MigrationLine($0) }
    }

    package func migrations() async throws -> [MigrationLine] {
        try await self.withDirectConnection { try await Schema().statusForMigrator(on: $0) }
            .map { MigrationLine($0.migration, appliedAt: $0.appliedAt) }
    }

    /// Returns a new key-encryption key.
    package static func generateKey() -> String { LocalKeyEncryptionKey.generate() }

    // MARK: Opening and closing

    /// A migration takes a session lock, so its connection must not go through a pooler.
    private func withDirectConnection<Value>(_ work: (PostgresConnection) async throws -> Value) async throws -> Value {
        let connection = try await PostgresConnection.connect(
            PostgresConfiguration(url: self.settings.databaseDirectURL.reveal()))
        do {
            let value = try await work(connection)
            await connection.close()
            return value
        } catch {
            await connection.close()
            throw error
        }
    }

    func withPool<Value: Sendable>(_ work: (PostgresPool) async throws -> Value) async throws -> Value {
        try await Self.running(try SharedParts.pool(self.settings, connections: 2), work)
    }

    func withParts<Value: Sendable>(_ work: (SharedParts) async throws -> Value) async throws -> Value {
        let parts = try SharedParts(self.settings, connections: 2)
        let kek = try SharedParts.kek(self.settings)
        return try await Self.running(parts.pool) { pool in
            try await pool.withConnection { try await TenantKeys.verify(kek, on: $0) }
            return try await work(parts)
        }
    }

    /// Runs the pool for as long as `work` takes.
    package static func running<Value: Sendable>(
        _ pool: PostgresPool, _ work: (PostgresPool) async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await pool.run() }
            let value: Value
            do {
                value = try await work(pool)
            } catch {
                group.cancelAll()
                throw SharedParts.explained(error)
            }
            group.cancelAll()
            return value
        }
    }
}
