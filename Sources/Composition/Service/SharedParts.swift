// SPDX-License-Identifier: Apache-2.0
// The parts that every role and every command needs: settings, a pool of connections, the vault.

import Foundation
import Model
package import Postgres
import Schema
package import Vault

package struct SharedParts: Sendable {
    package let settings: Settings
    package let pool: PostgresPool
    package let vault: Vault

    /// Makes the pool and the vault, and connects to nothing yet. `connections` is the pool's maximum; `onWait` is told
    /// how long each lease has waited.
    package init(
        _ settings: Settings, connections: Int, onWait: (@Sendable (Duration) -> Void)? = nil
    ) throws {
        self.settings = settings
        self.pool = try Self.pool(settings, connections: connections, onWait: onWait)
        self.vault = Vault(keys: TenantKeys(pool: self.pool, kek: try Self.kek(settings)))
    }

    /// A pool of connections like the service's. It connects only while its `run` runs. `exchangeTimeout` is the
    /// longest time of a statement whose server is silent; nil: the service's.
    static func pool(
        _ settings: Settings, connections: Int, exchangeTimeout: Duration? = nil,
        onWait: (@Sendable (Duration) -> Void)? = nil
    ) throws -> PostgresPool {
        var connection = try Self.database(settings)
        if let exchangeTimeout { connection.exchangeTimeout = exchangeTimeout }
        var limits = PostgresPool.Configuration(connection)
        limits.maximum = connections
        limits.onWait = onWait
        return PostgresPool(limits)
    }

    /// How the service connects: in its own role, and with limits that make the server give up before the service.
    ///
    /// Behind a pooler in transaction mode nothing is prepared and no setting is sent.
    package static func database(_ settings: Settings) throws -> PostgresConfiguration {
        var configuration = try PostgresConfiguration(url: settings.databaseURL.reveal())
        configuration.exchangeTimeout = .seconds(35)
        configuration.currentURL = settings.secrets.database.url
        if settings.isPooled {
            configuration.preparesStatements = false
            configuration.isPooled = true
        } else {
            configuration.settings = PostgresConfiguration.keyLookups.merging([
                "role": "dialtone_service", "statement_timeout": "30s", "lock_timeout": "10s",
                "idle_in_transaction_session_timeout": "30s", "synchronous_commit": "on",
                "default_transaction_isolation": "read committed",
            ]) { $1 }
        }
        return configuration
    }

    /// How a node holds its lock and listens: past a pooler, in the service's role, with limits for each statement.
    ///
    /// Such a session idles for as long as the node lives, so it has no limit for that. Behind a pooler without a
    /// direct URL no setting is sent.
    package static func directDatabase(_ settings: Settings) throws -> PostgresConfiguration {
        var configuration = try PostgresConfiguration(url: settings.databaseDirectURL.reveal())
        configuration.currentURL = settings.secrets.directDatabase.url
        configuration.exchangeTimeout = .seconds(15)
        guard settings.hasDirectSession else { return configuration }
        configuration.startScript = """
            set role dialtone_service; set statement_timeout = '10s'; set lock_timeout = '10s';
            set idle_in_transaction_session_timeout = '10s'; set idle_session_timeout = 0
            """
        return configuration
    }

    /// Connects as the service does.
    static func connect(_ settings: Settings) async throws -> PostgresConnection {
        do {
            return try await PostgresConnection.connect(try Self.database(settings))
        } catch {
            throw Self.explained(error)
        }
    }

    /// Returns an error that says what to run when the database was never migrated, and else the error itself.
    ///
    /// Without the migrations the service's role or its tables are missing (SQLSTATE 42P01, 3F000).
    static func explained(_ error: any Error) -> any Error {
        guard let failure = error as? PostgresError else { return error }
        if failure.message.contains("permission denied to set role") {
            return SchemaError.mayNotServe
        }
        let lacksRole = failure.message.contains("role \"dialtone_service\" does not exist")
        let lacksTable = ["42P01", "3F000"].contains(failure.sqlState)
        return lacksRole || lacksTable ? SchemaError.behind(missing: Migration.all.count) : error
    }

    /// The key-encryption key that the settings name. Throws `SettingsError` when it is not set or cannot be read.
    static func kek(_ settings: Settings) throws -> any KeyEncryptionKey {
        guard let uri = settings.kek else {
            throw SettingsError(problems: ["DIALTONE_KEK is not set; it is env:NAME or file:PATH"])
        }
        let environment = SecretVariables.environment
        do {
            return try LocalKeyEncryptionKey(
                uri: uri, environment: { environment[$0].map { SettingText.cleaned($0) } },
                file: { SettingText.cleaned(try String(contentsOfFile: $0, encoding: .utf8)) })
        } catch {
            throw SettingsError(problems: ["\(error)"])
        }
    }
}
