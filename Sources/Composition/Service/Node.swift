// SPDX-License-Identifier: Apache-2.0
// One process of Dialtone: its parts made, connected, and run in the order in which they need each other.
//
// A process has the role `api`, the role `worker`, or both. The api stores events and answers requests. The worker
// carries out the jobs that events leave behind. The two meet only in the database, so any number of processes may
// run. A signal tells the worker about new jobs: directly within one process, and by NOTIFY across processes.

import Access
import Directory
package import Foundation
import Handoff
package import Intake
package import Logging
import Model
import Onboarding
import Postgres
import ProviderLimits
import Queue
package import ServiceLifecycle
import Telnyx
import Vault
import Web

/// The services of one process, ready to run.
package struct Node: Sendable {
    package let services: [any Service]

    /// Waits for the database and checks it first, so that a start that cannot work gives the reason.
    ///
    /// `onReady` gets the URL once requests are answered, and `onStatus` host and port of the status listener. `clock`
    /// is that by which the api judges what senders sign. `fetchKeys` gets the keys that senders publish; nil: over the
    /// public internet. `hurry` is for a database whose clock runs so much faster than this process's. `comparesTenants` is
    /// false in a test of the second wall alone.
    package init(
        _ settings: Settings, roles: Set<Role>, logger: Logger, clock: @escaping @Sendable () -> Date = { Date() },
        fetchKeys: JWKSCache.Fetch? = nil, hurry: Int = 1, comparesTenants: Bool = true,
        onStatus: @escaping @Sendable (String) async -> Void = { _ in },
        onReady: @escaping @Sendable (String) async -> Void
    ) async throws {
        let installation = try await DatabaseStart(settings: settings, roles: roles, logger: logger).run()
        let parts = try NodeParts(
            settings, roles: roles, installation: installation, logger: logger, hurry: hurry)
        let status = NodeStatus(parts)
        if roles.contains(.worker) && roles.contains(.api) { parts.stored.forward(to: parts.work) }
        var services = status.listener(onStatus) + parts.services + status.watchers
        if roles.contains(.worker) { services += try Self.workerServices(parts, hurry: hurry) }
        if roles.contains(.api) {
            services += Self.apiServices(
                parts, status.readiness, clock, fetchKeys, comparesTenants: comparesTenants, onReady: onReady)
        }
        self.services = services + [status.farewell]
    }

    // MARK: The worker

    private static func workerServices(_ parts: NodeParts, hurry: Int) throws -> [any Service] {
        let settings = parts.settings
        let direct = try SharedParts.directDatabase(settings)
        let listener = PostgresListener(direct, channels: [JobQueue.channel])
        var services: [any Service] = [BackgroundService { await listener.run { _ in parts.work.signal() } }]
        if let rate = settings.providerRate {
            services.append(BackgroundService { try? await parts.limits.setRate(Double(rate)) })
        }
        // A presence is a lock of a session. Behind a transaction-mode pooler such a lock proves nothing.
        let presence = settings.hasDirectSession ? Presence(direct) : nil
        if let presence { services.append(BackgroundService { await presence.run() }) }
        var configuration = Self.workerConfiguration(settings)
        configuration.hurry = hurry
        services.append(
            OnboardingWorker(
                configuration: configuration, pool: parts.pool, api: parts.api, vault: parts.vault,
                limits: parts.limits, wakeup: parts.work, installation: parts.installation, logger: parts.logger,
                metrics: parts.metrics, counts: parts.counts, presence: presence))
        return services
    }

    private static func workerConfiguration(_ settings: Settings) -> OnboardingWorker.Configuration {
        var configuration = OnboardingWorker.Configuration()
        configuration.lease = settings.lease
        configuration.httpDeadline = settings.httpDeadline
        configuration.providerMargin = settings.providerMargin
        configuration.concurrency = settings.concurrency
        configuration.tagCapacity = settings.tagCapacity
        configuration.sweepInterval = settings.sweepInterval
        configuration.quarantineLife = .seconds(settings.quarantineDays * 86_400)
        configuration.retention = settings.retention
        configuration.rotationOverlap = settings.rotationOverlap
        configuration.serverIdentity = settings.serverIdentity
        return configuration
    }

    // MARK: The api

    private static func apiServices(
        _ parts: NodeParts, _ readiness: Readiness, _ clock: @escaping @Sendable () -> Date,
        _ fetchKeys: JWKSCache.Fetch?, comparesTenants: Bool, onReady: @escaping @Sendable (String) async -> Void
    ) -> [any Service] {
        let published = PublishedKeys(logger: parts.logger)
        let intake = Intake(
            pool: parts.pool, hooks: parts.hooks, lookUps: parts.requests, vault: parts.vault, wakeup: parts.stored,
            logger: parts.logger, metrics: parts.metrics, counts: parts.counts, sourceRate: parts.settings.sourceRate,
            fetchKeys: fetchKeys ?? { try await published.document(at: $0, maximumBytes: $1) })
        let notifier = JobNotifier(pool: parts.pool)
        parts.stored.forward(to: notifier.wakeup)
        let host = parts.settings.listenHost
        var configuration = WebApplication.Configuration(host: host, port: parts.settings.listenPort)
        configuration.keepAlive = parts.settings.keepAlive
        configuration.now = clock
        configuration.comparesTenants = comparesTenants
        configuration.quota.requests = parts.settings.readsPerMinute
        let reads = TenantReads(pool: parts.console, timeLimit: NodeParts.consoleLimit)
        let queries = Queries(reads: reads, vault: parts.vault)
        let verify = VerifyUser(
            proofs: queries.proofs,
            provider: ProviderQuestion(api: parts.api, limits: parts.limits, installation: parts.installation))
        let web = WebApplication(
            configuration: configuration,
            dependencies: WebDependencies(
                intake: intake,
                handoff: Handoff(
                    pool: parts.requests, api: parts.api, vault: parts.vault, limits: parts.limits,
                    metrics: parts.metrics, logger: parts.logger),
                queries: queries, setUp: SetUpReads(reads, parts), verify: { try await verify($0, as: $1) },
                keys: APIKeys(pool: parts.requests),
                isReady: { await readiness.servesRequests() }, metrics: parts.metrics),
            logger: parts.logger,
            onReady: { port in await onReady("http://\(ListenAddress.shown(host: host, port: port))") })
        return [
            BackgroundService { await intake.run() }, BackgroundService { await notifier.run() },
            ForegroundService { try await web.run() },
        ]
    }
}
