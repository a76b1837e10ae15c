// SPDX-License-Identifier: Apache-2.0
// The worker: its settings, its parts, and the loops that it starts and stops.

package import Counts
package import Foundation
import Lifecycle
package import Logging
import Model
package import Postgres
package import ProviderLimits
package import Queue
import ServiceLifecycle
import Synchronization
package import Telemetry
package import Telnyx
package import Vault

/// One worker. Any number of them, in any number of processes, share the job table.
///
/// Each loop is a room: `Work` claims jobs and runs them, and looks at what is in doubt; `Housekeeping` does what time
/// and servers make due; `Doubts` follows names, and `Walk` the account; `Surplus` deletes what the ledger does not
/// own; `Missing` replaces what the provider has lost; `Sweep` compares the provider with the ledger. `JobRun` is one
/// job as verbs, `Finish` writes what it leaves, `Provider` is how all of them talk to Telnyx.
package final class OnboardingWorker: Service {
    package struct Configuration: Sendable {
        /// How long a claimed job belongs to its worker.
        package var lease: Duration = .seconds(30)
        /// For one call to the provider.
        package var httpDeadline: Duration = .seconds(10)
        /// How long after that the provider may still make what it was asked for.
        package var providerMargin: Duration = .seconds(30)
        /// Creates at the same time; the worker claims no more than it can send at once.
        package var concurrency = 64
        /// Looks at the same time, beside the creates: recovery neither starves nor crowds out fresh sign-ups.
        package var looks = 16
        /// Credentials per tag; the provider's limit is 1000.
        package var tagCapacity = 980
        /// How often the table is looked at when no signal comes.
        package var pollInterval: Duration = .milliseconds(500)
        /// The least time from one visit of a tag to the next.
        package var sweepInterval: Duration = .seconds(3600)
        /// How long what is kept of an event in quarantine waits for somebody to settle it.
        package var quarantineLife: Duration = .seconds(14 * 86_400)
        /// How long what may go is kept.
        package var retention = RetentionRules()
        /// How long a credential that was replaced before its end may serve on.
        package var rotationOverlap: Duration = .seconds(300)
        /// How much faster than this process's clock the server's runs: a benchmark's day in minutes. Calls that can
        /// wait, and the loops that make them, keep up with it.
        package var hurry = 1
        /// By what a change of the database server is known.
        package var serverIdentity = ServerIdentity.system

        package init() {}
    }

    let configuration: Configuration
    let pool: PostgresPool
    let provider: GuardedProvider
    let logger: Logger
    let metrics: Measurements
    /// Of each tenant.
    let counts: TenantCounts
    let names: CredentialName
    let installation: UUID
    let throttledLog: ThrottledLog
    let identity: WorkerIdentity
    let wakeup: Wakeup
    /// For the looks: signalled when time alone has made something due, and when a look has ended.
    let due = Wakeup()
    let tagDemand = TagDemand()
    let jobRun: JobRun
    let strayNames = StrayNames()
    let visits = Mutex(VisitMemory())
    private let isDraining = Atomic(false)
    let results = Mutex<[JobResult]>([])
    /// What looks have brought that is not yet taken.
    let looked = Mutex<[JobResult]>([])

    /// `presence` is the node's sign of life, when it has a connection for one.
    package init(
        configuration: Configuration, pool: PostgresPool, api: any TelephonyCredentialsAPI, vault: Vault,
        limits: ProviderLimits, wakeup: Wakeup, installation: UUID, logger: Logger,
        metrics: Measurements = Measurements(), counts: TenantCounts = TenantCounts(), presence: Presence? = nil,
        random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) }
    ) {
        let landingTime = configuration.httpDeadline + configuration.providerMargin
        self.configuration = configuration
        self.pool = pool
        self.provider = GuardedProvider(api: api, limits: limits)
        self.wakeup = wakeup
        self.logger = logger
        self.metrics = metrics
        self.counts = counts
        self.names = CredentialName(installation: installation)
        self.installation = installation
        self.throttledLog = ThrottledLog(logger: logger)
        self.identity = WorkerIdentity(
            lease: configuration.lease, landingTime: landingTime, tagCapacity: configuration.tagCapacity,
            presence: presence)
        self.jobRun = JobRun(
            provider: self.provider, pool: pool, vault: vault, throttledLog: self.throttledLog,
            witness: Witness(pool: pool, provider: self.provider), names: self.names,
            rules: LifeRules(landingTime: landingTime),
            lease: configuration.lease, tagCapacity: configuration.tagCapacity, deadline: configuration.httpDeadline,
            random: random, metrics: metrics, strayNames: self.strayNames)
    }

    /// Works until graceful shutdown: then claims no more, waits for what it has sent, writes it down and returns.
    ///
    /// Cancelled here: calls under way end in doubt and are written if the database answers; else their leases expire.
    package func run() async throws {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { background in
                background.addTask { await self.housekeep() }
                background.addTask { await self.deleteSurplus() }
                background.addTask { await self.askForMissing() }
                background.addTask { await self.sweepNowAndThen() }
                background.addTask { await self.followAndWalk() }
                background.addTask { await self.keepTurning() }
                // What these have sent is written before they end.
                await withDiscardingTaskGroup { group in
                    group.addTask { await self.lookAtDoubt() }
                    await self.work(in: &group)
                }
                background.cancelAll()
            }
        } onGracefulShutdown: {
            self.isDraining.store(true, ordering: .relaxed)
            self.wakeup.signal()
            self.due.signal()
        }
    }

    /// Wakes the work loop now and then, also while housekeeping waits for the database. So a loop that has made no
    /// turn for long is stuck, and not idle.
    private func keepTurning() async {
        while !Task.isCancelled {
            self.wakeup.signal()
            try? await Task.sleep(for: .seconds(10))
        }
    }

    /// Rests about a second, as the loops do that find little to do.
    ///
    /// Cancelled here: returns at once.
    func rest() async {
        let pause = Duration.seconds(1) / self.configuration.hurry
        try? await Task.sleep(for: pause * Double.random(in: 0.75..<1.25))
    }

    var isEnding: Bool { self.isDraining.load(ordering: .relaxed) || Task.isCancelled }
}
