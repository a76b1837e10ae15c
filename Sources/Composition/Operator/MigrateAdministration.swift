// SPDX-License-Identifier: Apache-2.0
// The operator's migration: past any pooler, with a limit for waiting, and the serving login's membership.

import Model
import Postgres
import Schema

extension Administration {
    /// Applies the missing migrations and returns them.
    ///
    /// `wait`: how long a lock is waited for. `servingLogin` becomes a member of dialtone_service. With
    /// `makesRolesOnly` only the roles and the empty schema are made. `tell` gets a line before a long wait.
    /// Cancelled here: the statement under way is stopped and its migration rolled back.
    package func migrate(
        wait: Duration, servingLogin: String? = nil, makesRolesOnly: Bool = false,
        tell: @escaping @Sendable (String) -> Void
    ) async throws -> [MigrationLine] {
        let isSame = self.settings.databaseDirectURL.reveal() == self.settings.databaseURL.reveal()
        if self.settings.isPooled && isSame { throw SchemaError.migrationThroughPooler(nil) }
        let url = try PostgresConfiguration(url: self.settings.databaseDirectURL.reveal())
        if let evidence = try await PoolerProbe.evidence(at: url, sendsOptions: false) {
            throw SchemaError.migrationThroughPooler(evidence)
        }
        var options = MigrateOptions()
        options.wait = wait
        options.servingLogin = servingLogin
        options.makesRolesOnly = makesRolesOnly
        options.tell = tell
        let connection = try await PostgresConnection.connect(url)
        // Without it a wait is not explained, and ends all the same.
        let watcher = try? await PostgresConnection.connect(url)
        options.watcher = watcher
        let outcome: Result<[MigrationLine], any Error>
        do {
            outcome = .success(try await Schema().migrate(on: connection, options).map { MigrationLine($0) })
        } catch {
            outcome = .failure(error)
        }
        await watcher?.close()
        await connection.close()
        return try outcome.get()
    }
}
