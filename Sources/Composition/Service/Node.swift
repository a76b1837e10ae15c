// SPDX-License-Identifier: Apache-2.0
// One process of Dialtone: its parts made and connected, and run in the order in which they need each other.

import Access
import AsyncHTTPClient
import Directory
import Foundation
import Handoff
import Intake
package import Logging
import Model
import Onboarding
package import Postgres
import ProviderLimits
import Queue
import Schema
package import ServiceLifecycle
import Telnyx
package import Vault
import Web

/// What a process does.
package enum Role: String, Sendable, CaseIterable {
    case api, worker
}

/// The parts that every role and every command needs.
package struct Foundations: Sendable {
    package let settings: Settings
    package let pool: PostgresPool
    package let vault: Vault

    /// Makes a pool and a vault; connects to nothing yet.
    package init(_ settings: Settings, connections: Int) throws {
        self.settings = settings
        var limits = PostgresPool.Configuration(try Self.database(settings))
        limits.maximum = connections
        self.pool = PostgresPool(limits)
        self.vault = Vault(keys: TenantKeys(pool: self.pool, kek: try Self.kek(settings)))
    }

    /// How the service connects: as its own role, and with a server that gives up before we do.
    package static func database(_ settings: Settings) throws -> PostgresConfiguration {
        var configuration = try PostgresConfiguration(url: settings.databaseURL.reveal())
        configuration.exchangeTimeout = .seconds(35)
        if settings.isPooled {
            configuration.preparesStatements = false
        } else {
            configuration.settings = PostgresConfiguration.keyLookups.merging([
                "role": "dialtone_service", "statement_timeout": "30s", "lock_timeout": "10s",
                "idle_in_transaction_session_timeout": "30s", "synchronous_commit": "on",
            ]) { $1 }
        }
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

    /// A database that was never migrated lacks the service's role or its tables; then say what to run.
    static func explained(_ error: any Error) -> any Error {
        guard let failure = error as? PostgresError else { return error }
        let lacksRole = failure.message.contains("role \"dialtone_service\" does not exist")
        let lacksTable = ["42P01", "3F000"].contains(failure.sqlState)
        return lacksRole || lacksTable ? SchemaError.behind(missing: Migration.all.count) : error
    }

    static func kek(_ settings: Settings) throws -> any KeyEncryptionKey {
        guard let uri = settings.kek else {
            throw SettingsError(problems: ["DIALTONE_KEK is not set; it is env:NAME or file:PATH"])
        }
        let environment = ProcessInfo.processInfo.environment
        do {
            return try LocalKeyEncryptionKey(
                uri: uri, environment: { environment[$0] }, file: { try String(contentsOfFile: $0, encoding: .utf8) })
        } catch {
            throw SettingsError(problems: ["\(error)"])
        }
    }
}

/// The services of one process, ready to run.
package struct Node: Sendable {
    package let services: [any Service]

    /// Checks schema and server first, so that a start that cannot work says why. `onReady` is told the address.
    package init(
        _ settings: Settings, roles: Set<Role>, logger: Logger, onReady: @escaping @Sendable (String) async -> Void
    ) async throws {
        let installation = try await Self.verify(settings)
        guard let key = settings.telnyxKey else {
            throw SettingsError(problems: ["TELNYX_API_KEY is not set (or TELNYX_API_KEY_FILE)"])
        }
        // Writer and worker have connections of their own: requests that ask much cannot make a webhook wait.
        let parts = try Foundations(settings, connections: 6)
        var limitsOfRequests = PostgresPool.Configuration(try Foundations.database(settings))
        limitsOfRequests.maximum = 4
        let requests = PostgresPool(limitsOfRequests)
        let http = HTTPClient(
            configuration: TelnyxClient.httpConfiguration(
                concurrency: settings.concurrency, deadline: settings.httpDeadline))
        let api = TelnyxClient(
            configuration: .init(baseURL: settings.telnyxBaseURL, apiKey: key, deadline: settings.httpDeadline),
            http: http)
        let limits = ProviderLimits(pool: parts.pool)
        let stored = Wakeup()
        let work = Wakeup()
        var services: [any Service] = [
            HTTPClientService(client: http), BackgroundService { await parts.pool.run() },
            BackgroundService { await requests.run() },
        ]
        if roles.contains(.worker) {
            if roles.contains(.api) { stored.forward(to: work) }
            let direct = try PostgresConfiguration(url: settings.databaseDirectURL.reveal())
            let listener = PostgresListener(direct, channels: [JobQueue.channel])
            services.append(BackgroundService { await listener.run { _ in work.signal() } })
            var configuration = OnboardingWorker.Configuration()
            configuration.lease = settings.lease
            configuration.httpDeadline = settings.httpDeadline
            configuration.providerMargin = settings.providerMargin
            configuration.concurrency = settings.concurrency
            configuration.tagCapacity = settings.tagCapacity
            configuration.sweepInterval = settings.sweepInterval
            if let rate = settings.providerRate {
                services.append(BackgroundService { try? await limits.setRate(Double(rate)) })
            }
            // A lock of the session is worth nothing behind a transaction-mode pooler.
            let hasSession = !settings.isPooled || settings.databaseDirectURL.reveal() != settings.databaseURL.reveal()
            let presence = hasSession ? Presence(direct) : nil
            if let presence { services.append(BackgroundService { await presence.run() }) }
            services.append(
                OnboardingWorker(
                    configuration: configuration, pool: parts.pool, api: api, vault: parts.vault, limits: limits,
                    wakeup: work, installation: installation, logger: logger, presence: presence))
        }
        if roles.contains(.api) {
            let intake = Intake(
                pool: parts.pool, lookUps: requests, vault: parts.vault, wakeup: stored, logger: logger)
            services.append(BackgroundService { await intake.run() })
            let notifier = JobNotifier(pool: parts.pool)
            stored.forward(to: notifier.wakeup)
            services.append(BackgroundService { await notifier.run() })
            let readiness = Readiness { try await Schema().verifyWhileRunning(on: $0) }
            let web = WebApplication(
                configuration: .init(host: settings.listenHost, port: settings.listenPort),
                dependencies: WebDependencies(
                    intake: intake, handoff: Handoff(pool: requests, api: api, vault: parts.vault, limits: limits),
                    users: Users(pool: requests, vault: parts.vault), keys: APIKeys(pool: requests),
                    isReady: { try await readiness.check(requests) }),
                logger: logger,
                onReady: { port in await onReady("http://\(settings.listenHost):\(port)") })
            services.append(ForegroundService { try await web.run() })
        }
        self.services = services
    }

    /// The schema must be the one this program knows, on a server that keeps what it acknowledges. Answers the
    /// installation.
    private static func verify(_ settings: Settings) async throws -> UUID {
        let connection = try await Foundations.connect(settings)
        do {
            try await Schema().verify(on: connection)
            try await TenantKeys.verify(try Foundations.kek(settings), on: connection)
            let row = try await connection.query("select id from dialtone.installation").first
            await connection.close()
            guard let row else { throw SchemaError.behind(missing: 1) }
            return try row.decode(UUID.self)
        } catch {
            await connection.close()
            throw error
        }
    }
}
