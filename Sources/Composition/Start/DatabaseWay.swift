// SPDX-License-Identifier: Apache-2.0
// The way to the database, tried as the login itself: server, pooler in between, and what the login may do.

import Model
import Postgres
import Schema

/// Each call opens connections of its own and closes them. None of them relies on a role or an option.
enum DatabaseWay {
    /// Throws unless the server is new enough and the database holds every text.
    static func verifyServer(_ settings: Settings) async throws {
        try await Self.withLogin(settings) { try await ServerRequirements.verify(on: $0) }
    }

    /// Throws when `DATABASE_URL` leads to a pooler that the program was not told of, or to one that refuses
    /// transactions.
    static func verifyPooling(_ settings: Settings) async throws {
        let url = try PostgresConfiguration(url: settings.databaseURL.reveal())
        if settings.isPooled { return try await PoolerProbe.verifyTransactions(at: url) }
        if let evidence = try await PoolerProbe.evidence(at: url, sendsOptions: true) {
            throw SchemaError.pooler(setting: "DATABASE_URL", evidence)
        }
    }

    /// Throws when `DATABASE_DIRECT_URL` leads to a pooler: a worker's lock would prove nothing there. Throws too when
    /// its login may not take the service's role, in which the lock is held.
    ///
    /// A server that does not answer is no reason, because the leases then decide alone.
    static func verifyDirect(_ settings: Settings) async throws {
        guard settings.databaseDirectURL.reveal() != settings.databaseURL.reveal() else { return }
        let url = try PostgresConfiguration(url: settings.databaseDirectURL.reveal())
        if let evidence = try? await PoolerProbe.evidence(at: url, sendsOptions: false) {
            throw SchemaError.pooler(setting: "DATABASE_DIRECT_URL", evidence)
        }
        try await Self.verifyDirectLogin(url)
    }

    private static func verifyDirectLogin(_ url: PostgresConfiguration) async throws {
        var url = url
        url.exchangeTimeout = .seconds(10)
        guard let connection = try? await PostgresConnection.connect(url) else { return }
        do {
            _ = try await ServingLogin.verify(on: connection)
        } catch let error as SchemaError {
            await connection.close()
            throw error
        } catch {}
        await connection.close()
    }

    /// Throws unless the login can serve.
    static func login(_ settings: Settings) async throws -> ServingLogin {
        try await Self.withLogin(settings) { try await ServingLogin.verify(on: $0, isPooled: settings.isPooled) }
    }

    private static func withLogin<Value>(
        _ settings: Settings, _ work: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        var configuration = try PostgresConfiguration(url: settings.databaseURL.reveal())
        configuration.preparesStatements = !settings.isPooled
        configuration.isPooled = settings.isPooled
        configuration.exchangeTimeout = .seconds(10)
        configuration.currentURL = settings.secrets.database.url
        let connection = try await PostgresConnection.connect(configuration)
        do {
            let value = try await work(connection)
            await connection.close()
            return value
        } catch {
            await connection.close()
            throw error
        }
    }
}
