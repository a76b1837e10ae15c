// SPDX-License-Identifier: Apache-2.0
// The worker: finish what has come back, claim what there is room for, run it; one round trip to the database per turn.

package import Foundation
import Lifecycle
package import Logging
import Model
package import Postgres
package import ProviderLimits
package import Queue
import ServiceLifecycle
import Synchronization
package import Telnyx
package import Vault

/// One worker. Any number of them, in any number of processes, share the job table.
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
        /// From the start of one sweep to the next.
        package var sweepInterval: Duration = .seconds(600)

        package init() {}
    }

    let configuration: Configuration
    let pool: PostgresPool
    let provider: GuardedProvider
    let logger: Logger
    let names: CredentialName
    let installation: UUID
    let throttledLog: ThrottledLog
    let identity: WorkerIdentity
    let wakeup: Wakeup
    /// For the looks: signalled when time alone has made something due.
    let due = Wakeup()
    let jobRun: JobRun
    private let isDraining = Atomic(false)
    private let results = Mutex<[JobResult]>([])

    /// `presence` is the node's sign of life, when it has a connection for one.
    package init(
        configuration: Configuration, pool: PostgresPool, api: any TelephonyCredentialsAPI, vault: Vault,
        limits: ProviderLimits, wakeup: Wakeup, installation: UUID, logger: Logger, presence: Presence? = nil,
        random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) }
    ) {
        let landingTime = configuration.httpDeadline + configuration.providerMargin
        self.configuration = configuration
        self.pool = pool
        self.provider = GuardedProvider(api: api, limits: limits)
        self.wakeup = wakeup
        self.logger = logger
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
            random: random)
    }

    /// Works until graceful shutdown: then claims no more, waits for what it has sent, writes it down and returns.
    ///
    /// Cancelled here: calls under way end in doubt and are written if the database answers; else their leases expire.
    package func run() async throws {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { background in
                background.addTask { await self.housekeep() }
                background.addTask { await self.deleteSurplus() }
                background.addTask { await self.sweepNowAndThen() }
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

    var isEnding: Bool { self.isDraining.load(ordering: .relaxed) || Task.isCancelled }

    // MARK: The loop

    private struct Turn {
        var running = 0
        /// Results that are not yet in the database.
        var unwritten: [JobResult] = []
        var cursor = ClaimCursor(now: .now)
        var failures = 0
    }

    private func work(in group: inout DiscardingTaskGroup) async {
        var turn = Turn()
        while true {
            let back = self.takeResults()
            turn.running -= back.count
            turn.unwritten += back
            if self.isEnding && turn.running == 0 {
                return await FinishBatch(turn.unwritten).writeAtTheEnd(to: self.pool, self.logger)
            }
            // While results cannot be written nothing more is begun.
            let isHeld = self.isEnding || turn.failures > 0 && !turn.unwritten.isEmpty
            let room = isHeld ? 0 : self.configuration.concurrency - turn.running
            let claimed = await self.exchange(room: room, &turn)
            for (job, leaseEnd) in claimed {
                turn.running += 1
                group.addTask { await self.run(job, leaseEnd) }
            }
            if claimed.isEmpty && self.results.withLock(\.isEmpty) { await self.wakeup.wait() }
            // A cancelled wait returns at once; give way, so that the runs can end.
            if Task.isCancelled { await Task.yield() }
        }
    }

    private func run(_ job: ClaimedJob, _ leaseEnd: ContinuousClock.Instant) async {
        let result = await self.jobRun.run(job, leaseEnd: leaseEnd)
        self.results.withLock { $0.append(result) }
        self.wakeup.signal()
    }

    private func takeResults() -> [JobResult] {
        self.results.withLock { results in
            defer { results = [] }
            return results
        }
    }

    /// Writes results and claims, each under its own sync of one pipeline, and answers the claimed jobs that can be
    /// sent.
    private func exchange(room: Int, _ turn: inout Turn) async -> [(ClaimedJob, ContinuousClock.Instant)] {
        let batch = FinishBatch(turn.unwritten)
        let start = turn.cursor.start(at: .now)
        let known = room > 0 ? self.identity.terms : nil
        let granted =
            known == nil ? 0 : await self.provider.limits.takePermits(room) { await self.hasQueued(from: start) }
        if granted == 0 { turn.cursor.foundNothing() }
        let sentAt = ContinuousClock.now
        let terms = granted > 0 ? known : nil
        let claim = terms.map { [ClaimedJob.queued(limit: granted, from: start, $0)] } ?? []
        guard !batch.groups.isEmpty || !claim.isEmpty else { return [] }
        let (rows, failure) = await self.send(batch, claim)
        await self.provider.limits.returnPermits(granted - (rows?.count ?? 0))
        if let failure {
            // Nothing is lost: what the provider gave stays in hand and is written when the database is back. A write
            // that did happen is found done, because every statement is guarded.
            turn.failures += 1
            self.logger.warning("worker cannot reach the database", metadata: ["error": "\(failure)"])
            try? await Task.sleep(for: .milliseconds(min(2000, 50 << min(turn.failures, 6))))
        } else {
            turn.unwritten = []
            if turn.failures > 0 { self.logger.notice("worker reaches the database again") }
            turn.failures = 0
        }
        guard let rows, let terms else { return [] }
        do {
            return try await self.claimed(rows, from: start, sentAt, terms, room: granted, &turn)
        } catch {
            // Their leases will expire into doubt.
            self.logger.error("claimed jobs cannot be read", metadata: ["error": "\(error)", "jobs": "\(rows.count)"])
            return []
        }
    }

    /// What was claimed is claimed, whatever became of the results.
    private func send(_ batch: FinishBatch, _ claim: [SQL]) async -> (claimed: PostgresRows?, failure: (any Error)?) {
        do {
            return try await self.pool.withConnection { connection in
                let answers = try await connection.pipeline(batch.groups + claim.map { [$0] })
                let last = answers.dropFirst(batch.groups.count).first?.first
                let claimed = try? last?.get()
                do {
                    try await batch.receive(
                        Array(answers.prefix(batch.groups.count)), on: connection, logger: self.logger)
                    _ = try last?.get()
                } catch {
                    return (claimed, error)
                }
                return (claimed, nil)
            }
        } catch {
            return (nil, error)
        }
    }

    /// Whether a claim would find something. Index jobs_queued.
    private func hasQueued(from start: QueueStart) async -> Bool {
        (try? await self.pool.query(JobQueue.hasCandidates(from: start)))?.isEmpty == false
    }

    private func claimed(
        _ rows: PostgresRows, from start: QueueStart, _ sentAt: ContinuousClock.Instant, _ terms: ClaimTerms, room: Int,
        _ turn: inout Turn
    ) async throws -> [(ClaimedJob, ContinuousClock.Instant)] {
        let leaseEnd = sentAt + self.configuration.lease
        let all = try rows.map { try ClaimedJob.read($0, state: .armed, worker: terms.worker) }
        let starved = all.map(\.job).filter(\.needsTag)
        let isShort = rows.count < room && starved.isEmpty
        let now = ContinuousClock.now
        // Those without a tag go back to their places.
        let place = isShort ? nil : (all.first(where: \.job.needsTag) ?? all.last)?.place
        if turn.cursor.advanced(from: start, to: place, took: now - sentAt, at: now) { self.wakeup.signal() }
        for (tenant, jobs) in Dictionary(grouping: starved, by: \.user.tenant) {
            let isOpened = await TagShards.open(for: tenant, capacity: terms.tagCapacity, on: self.pool, self.logger)
            turn.unwritten += jobs.map { job in
                .moved(
                    Transition(
                        lease: job.lease, to: isOpened ? .queued : .scheduled, delay: isOpened ? .zero : .seconds(1)))
            }
        }
        await self.provider.limits.returnPermits(starved.count)
        if !starved.isEmpty { self.wakeup.signal() }
        return all.map(\.job).filter { !$0.needsTag }.map { ($0, leaseEnd) }
    }
}
