// SPDX-License-Identifier: Apache-2.0
// The parts of one process that its two roles share, made before either role starts.

import AsyncHTTPClient
import Counts
import Foundation
import Logging
import Postgres
import ProviderLimits
import Queue
import ServiceLifecycle
import Telemetry
import Telnyx
import Vault

struct NodeParts: Sendable {
    let settings: Settings
    let installation: UUID
    let logger: Logger
    let vault: Vault
    /// For the writer and the worker.
    let pool: PostgresPool
    /// For the sources of known hooks. Nothing that a request asks for takes one of these connections.
    let hooks: PostgresPool
    /// For login tokens, API keys and hooks that are not known.
    let requests: PostgresPool
    /// For lists and what else only reads, so that login tokens do not wait for them.
    let console: PostgresPool
    let http: HTTPClient
    /// For login tokens, so that tokens and the worker cannot take each other's connections to the provider.
    let tokenHTTP: HTTPClient
    let api: any TelephonyCredentialsAPI
    let limits: ProviderLimits
    let metrics: Measurements
    /// Of each tenant, from both roles.
    let counts = TenantCounts()
    /// Signalled when this process has stored events.
    let stored = Wakeup()
    /// Signalled when there may be a job for this process.
    let work = Wakeup()

    /// `hurry`: as for `Node`.
    init(_ settings: Settings, roles: Set<Role>, installation: UUID, logger: Logger, hurry: Int) throws {
        guard let key = settings.telnyxKey else {
            throw SettingsError(problems: ["TELNYX_API_KEY is not set (or TELNYX_API_KEY_FILE)"])
        }
        let metrics = Measurements(
            version: Administration.version, worker: roles.contains(.worker) ? WorkerPulse() : nil)
        let shared = try SharedParts(settings, connections: 6) { metrics.poolWaits.observe(.writer, $0) }
        self.settings = settings
        self.installation = installation
        self.logger = logger
        self.vault = shared.vault
        self.pool = shared.pool
        self.hooks = try SharedParts.pool(settings, connections: 2) { metrics.poolWaits.observe(.hooks, $0) }
        self.requests = try SharedParts.pool(settings, connections: 4) { metrics.poolWaits.observe(.requests, $0) }
        self.console = try SharedParts.pool(
            settings, connections: 3, exchangeTimeout: Self.consoleLimit + .seconds(8)
        ) { metrics.poolWaits.observe(.console, $0) }
        self.metrics = metrics
        self.http = settings.providerClient(connections: settings.concurrency)
        self.tokenHTTP = settings.providerClient(connections: 4 * ProviderLimits.maximumTokensUnderWay)
        var provider = TelnyxClient.Configuration(
            baseURL: settings.telnyxBaseURL, apiKey: key, deadline: settings.httpDeadline)
        if let source = settings.secrets.provider {
            provider.currentKey = { source.current }
            provider.renewedKey = { await source.renewed(refused: $0) }
        }
        let limits = ProviderLimits(
            pool: shared.pool, tokenRate: Double(settings.tokenRate), sweepRate: 5 * Double(hurry)
        ) { scope in
            logger.notice("the provider accepts creates again", metadata: ["scope": "\(scope)"])
        }
        provider.tellLimits(to: limits)
        let client = TelnyxClient(configuration: provider, http: self.http, tokens: self.tokenHTTP)
        self.api = MeasuredCalls(client, in: metrics)
        self.limits = limits
        if let proxy = settings.providerProxy {
            logger.info("the provider is called through a proxy", metadata: ["proxy": "\(proxy.place)"])
        }
    }

    /// The longest time of one statement of the console.
    static let consoleLimit: Duration = .seconds(2)

    /// Every pool and its name in the metrics.
    var pools: [(name: PoolName, pool: PostgresPool)] {
        [(.writer, self.pool), (.hooks, self.hooks), (.requests, self.requests), (.console, self.console)]
    }

    /// The services of every process. They stand first in the group, because a group stops its last service first.
    var services: [any Service] {
        var services: [any Service] = [
            HTTPClientService(client: self.http), HTTPClientService(client: self.tokenHTTP),
        ]
        for (_, pool) in self.pools { services.append(BackgroundService { await pool.run() }) }
        let minutes = TenantMinutes(self.counts, pool: self.pool, logger: self.logger)
        services.append(BackgroundService { await minutes.run() })
        return services
    }
}

extension TelnyxClient.Configuration {
    /// Passes on what each reply says of the provider's limit.
    fileprivate mutating func tellLimits(to limits: ProviderLimits) {
        self.heard = { calls, told, isSilentRefusal in
            let told = told.map { LimitNews.Told(limit: $0.limit, remaining: $0.remaining, reset: $0.reset) }
            let kind: CallKind =
                switch calls {
                case .tokens: .tokens
                case .writes: .creates
                case .reads: .looks
                }
            limits.heard(LimitNews(kind: kind, told: told, isSilentRefusal: isSilentRefusal))
        }
    }
}

extension Settings {
    /// Makes an HTTP client for the provider, with at most so many connections. The caller shuts it down.
    func providerClient(connections: Int) -> HTTPClient {
        HTTPClient(
            configuration: TelnyxClient.httpConfiguration(
                concurrency: connections, deadline: self.httpDeadline, proxy: self.providerProxy))
    }
}
