// SPDX-License-Identifier: Apache-2.0
// The database before a start: waited for, tried, and what an operator should know of it said in the log.

import Foundation
import Logging
import Onboarding
import Postgres
import Schema
import Vault

struct DatabaseStart {
    let settings: Settings
    let roles: Set<Role>
    let logger: Logger

    /// Returns the installation's id.
    ///
    /// Throws unless the database is there in time, the way to it keeps what the program relies on, the schema is the
    /// one this program knows, the server keeps commits that it has acknowledged, and the key-encryption key is the
    /// database's.
    func run() async throws -> UUID {
        let wait = DatabaseWait(limit: self.settings.databaseWait)
        let login = try await wait.first(tell: self.sayWaiting) {
            try await DatabaseWay.verifyServer(self.settings)
            try await DatabaseWay.verifyPooling(self.settings)
            return try await DatabaseWay.login(self.settings)
        }
        if self.roles.contains(.worker) { try await DatabaseWay.verifyDirect(self.settings) }
        if !login.excess.isEmpty {
            self.logger.warning(
                "the login that serves may do more than its work needs",
                metadata: ["login": "\(login.name)", "it": "\(login.excess.joined(separator: ", "))"])
        }
        let connection = try await SharedParts.connect(self.settings)
        do {
            let installation = try await self.verify(on: connection)
            await connection.close()
            return installation
        } catch {
            await connection.close()
            throw error
        }
    }

    private func verify(on connection: PostgresConnection) async throws -> UUID {
        try await Schema(durability: self.settings.durability).verify(on: connection)
        try await ServerRequirements.verifyIsolation(on: connection)
        for setting in try await self.settings.durability.accepted(on: connection) {
            self.logger.warning(
                "the server does not write commits to disk itself, and DIALTONE_DURABILITY=storage accepts it",
                metadata: ["setting": "\(setting)=off"])
        }
        try await TenantKeys.verify(try SharedParts.kek(self.settings), on: connection)
        if self.roles.contains(.worker) { try await self.sayHiddenIdentity(on: connection) }
        let row = try await connection.query("select id from dialtone.installation").first
        guard let row else { throw SchemaError.behind(missing: 1) }
        return try row.decode(UUID.self)
    }

    /// A hidden identity stops the worker and not the process: its readiness says so until it is mended.
    private func sayHiddenIdentity(on connection: PostgresConnection) async throws {
        do {
            try await self.settings.serverIdentity.verify(on: connection)
        } catch let error as ServerIdentityHidden {
            self.logger.error(
                "the worker cannot know the database server, so it claims nothing", metadata: ["error": "\(error)"])
        }
    }

    private func sayWaiting(_ error: PostgresError) {
        self.logger.notice(
            "waiting for the database",
            metadata: ["error": "\(error)", "for_at_most": "\(self.settings.databaseWait)"])
    }
}
