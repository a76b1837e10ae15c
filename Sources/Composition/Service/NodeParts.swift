// SPDX-License-Identifier: Apache-2.0
// The parts of one process that its two roles share, made before either role starts.

import AsyncHTTPClient
import Foundation
import Logging
import Postgres
import ProviderLimits
import Queue
import ServiceLifecycle
import Telnyx
import Vault

struct NodeParts: Sendable {
    let settings: Settings
    let installation: UUID
    let logger: Logger
    let vault: Vault
    /// For the writer and the worker.
    let pool: PostgresPool
    /// For requests, so that busy clients of the API cannot make a webhook wait.
    let requests: PostgresPool
    let http: HTTPClient
    let api: TelnyxClient
    let limits: ProviderLimits
    /// Signalled when this process has stored events.
    let stored = Wakeup()
    /// Signalled when there may be a job for this process.
    let work = Wakeup()

    init(_ settings: Settings, installation: UUID, logger: Logger) throws {
        guard let key = settings.telnyxKey else {
            throw SettingsError(problems: ["TELNYX_API_KEY is not set (or TELNYX_API_KEY_FILE)"])
        }
        let shared = try SharedParts(settings, connections: 6)
        self.settings = settings
        self.installation = installation
        self.logger = logger
        self.vault = shared.vault
        self.pool = shared.pool
        self.requests = try SharedParts.pool(settings, connections: 4)
        self.http = HTTPClient(
            configuration: TelnyxClient.httpConfiguration(
                concurrency: settings.concurrency, deadline: settings.httpDeadline))
        self.api = TelnyxClient(
            configuration: .init(baseURL: settings.telnyxBaseURL, apiKey: key, deadline: settings.httpDeadline),
            http: self.http)
        self.limits = ProviderLimits(pool: shared.pool)
    }

    /// The services of every process. They stand first in the group, because a group stops its last service first.
    var services: [any Service] {
        [
            HTTPClientService(client: self.http), BackgroundService { await self.pool.run() },
            BackgroundService { await self.requests.run() },
        ]
    }
}
