// SPDX-License-Identifier: Apache-2.0
// The worker: finish what has come back, claim what there is room for, run it; one round trip to the database per turn.

package import Foundation
import Lifecycle
package import Logging
package import Model
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
        /// Calls to the provider at the same time; the worker claims no more than it can send at once.
        package var concurrency = 64
        /// Credentials per tag; the provider's limit is 1000.
        package var tagCapacity = 980
        /// How often the table is looked at when no signal comes.
        package var pollInterval: Duration = .milliseconds(500)

        package init() {}
    }

    private let configuration: Configuration
    private let pool: PostgresPool
    private let limits: ProviderLimits
    private let wakeup: Wakeup
    private let logger: Logger
    private let jobRun: JobRun
    private let terms: ClaimTerms
    private let isDraining = Atomic(false)
    private let results = Mutex<[JobResult]>([])

    package init(
        configuration: Configuration, pool: PostgresPool, api: any TelephonyCredentialsAPI, vault: Vault,
        limits: ProviderLimits, wakeup: Wakeup, installation: UUID, logger: Logger,
        worker: WorkerID = WorkerID(rawValue: UUID()), now: @escaping @Sendable () -> Date = { Date() },
        random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) }
    ) {
        let settle = configuration.httpDeadline + configuration.providerMargin
        self.configuration = configuration
        self.pool = pool
        self.limits = limits
        self.wakeup = wakeup
        self.logger = logger
        self.terms = ClaimTerms(
            worker: worker, lease: configuration.lease, settle: settle, tagCapacity: configuration.tagCapacity)
        self.jobRun = JobRun(
            api: api, pool: pool, vault: vault, limits: limits, names: CredentialName(installation: installation),
            rules: LifeRules(settle: settle), terms: self.terms, deadline: configuration.httpDeadline, now: now,
            random: random)
    }

    /// Works until graceful shutdown: then claims no more, waits for what it has sent, writes it down and returns.
    ///
    /// Cancelled here: calls under way end in doubt and are written if the database answers; else their leases expire.
    package func run() async throws {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.housekeep() }
                await self.work(in: &group)
                group.cancelAll()
            }
        } onGracefulShutdown: {
            self.isDraining.store(true, ordering: .relaxed)
            self.wakeup.signal()
        }
    }

    // MARK: The loop

    private struct Turn {
        var inFlight = 0
        var floor = Int64.min
        var failures = 0
    }

    private func work(in group: inout DiscardingTaskGroup) async {
        var turn = Turn()
        while !Task.isCancelled || turn.inFlight > 0 {
            let isDraining = self.isDraining.load(ordering: .relaxed) || Task.isCancelled
            if isDraining && turn.inFlight == 0 { return }
            let finished = self.results.withLock { results in
                defer { results = [] }
                return results
            }
            let room = isDraining ? 0 : self.configuration.concurrency - turn.inFlight + finished.count
            let claimed = await self.exchange(finished, room: room, &turn)
            for (job, leaseEnd) in claimed {
                turn.inFlight += 1
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

    /// Writes results and claims, each under its own sync of one pipeline, and answers the claimed jobs that can be sent.
    private func exchange(
        _ finished: [JobResult], room: Int, _ turn: inout Turn
    ) async -> [(ClaimedJob, ContinuousClock.Instant)] {
        let sentAt = ContinuousClock.now
        let batch = FinishBatch(finished)
        let mayClaim = room > 0 ? await self.isOpen() : false
        let claim = mayClaim ? [ClaimedJob.queued(limit: room, floor: turn.floor, self.terms)] : []
        guard !batch.statements.isEmpty || !claim.isEmpty else { return [] }
        let rows: PostgresRows?
        do {
            rows = try await self.pool.withConnection { connection in
                let answers = try await connection.pipeline((batch.statements + claim).map { [$0] }).map { $0[0] }
                let written = Array(answers.prefix(batch.statements.count))
                try await batch.settle(written, on: connection, logger: self.logger)
                return try answers.dropFirst(written.count).first?.get()
            }
        } catch {
            // Nothing is lost: what the provider gave stays in hand and is written when the database is back. A write that
            // did happen is found done, because every statement is guarded.
            self.results.withLock { $0 = finished + $0 }
            turn.failures += 1
            self.logger.warning("worker cannot reach the database", metadata: ["error": "\(error)"])
            try? await Task.sleep(for: .milliseconds(min(2000, 50 << min(turn.failures, 6))))
            return []
        }
        turn.inFlight -= finished.count
        turn.failures = 0
        guard let rows else { return [] }
        do {
            return try await self.claimed(rows, sentAt, room: room, &turn)
        } catch {
            // Their leases will expire into doubt.
            self.logger.error("claimed jobs cannot be read", metadata: ["error": "\(error)", "jobs": "\(rows.count)"])
            return []
        }
    }

    private func claimed(
        _ rows: PostgresRows, _ sentAt: ContinuousClock.Instant, room: Int, _ turn: inout Turn
    ) async throws -> [(ClaimedJob, ContinuousClock.Instant)] {
        let leaseEnd = sentAt + self.configuration.lease
        let all = try rows.map { try ClaimedJob.read($0, state: .armed, worker: self.terms.worker) }
        if let first = all.first { turn.floor = min(first.vt, Self.safeFloor()) }
        // A claim that came back short has seen the end of the queue: look from the very beginning next time.
        if rows.count < room { turn.floor = .min }
        let starved = all.map(\.job).filter(\.needsTag)
        turn.inFlight += starved.count
        for (tenant, jobs) in Dictionary(grouping: starved, by: \.user.tenant) {
            await self.openTag(of: tenant, for: jobs)
        }
        return all.map(\.job).filter { !$0.needsTag }.map { ($0, leaseEnd) }
    }

    /// Opens the tenant's next tag and puts the jobs back that found no room; without one they wait a second.
    private func openTag(of tenant: TenantID, for jobs: [ClaimedJob]) async {
        var isOpened = true
        do {
            _ = try await self.pool.query(TagShards.openNext(for: tenant, capacity: self.configuration.tagCapacity))
        } catch {
            isOpened = false
            self.logger.warning("a tag cannot be opened", metadata: ["tenant": "\(tenant)", "error": "\(error)"])
        }
        let back = jobs.map { job in
            JobResult.moved(
                Transition(lease: job.lease, to: isOpened ? .queued : .scheduled, delay: isOpened ? .zero : .seconds(1))
            )
        }
        self.results.withLock { $0 += back }
    }

    /// New jobs get a place no earlier than the clock, so a floor some seconds back passes none of them by.
    private static func safeFloor() -> Int64 {
        Int64((Date().timeIntervalSince1970 - 10) * 1_000_000)
    }

    private func isOpen() async -> Bool {
        guard let gate = try? await self.limits.gate() else { return false }
        return gate.isOpen
    }
}

extension OnboardingWorker {
    // MARK: Housekeeping

    /// The jittered poll, promotion, rescue and looks: everything that time alone makes due.
    private func housekeep() async {
        var lastHour = -1
        while !Task.isCancelled {
            do {
                _ = try await self.pool.query(JobQueue.promote(limit: 500))
                let rescued = try await self.pool.query(JobQueue.rescue(limit: 500, settle: self.terms.settle))
                if !rescued.isEmpty {
                    self.logger.notice("leases expired, jobs are in doubt", metadata: ["jobs": "\(rescued.count)"])
                }
                try await self.lookAtDoubt()
                let hour = Int(Date().timeIntervalSince1970 / 3600)
                if hour != lastHour {
                    _ = try await self.pool.query("select dialtone.ensure_job_log_partitions()::text")
                    lastHour = hour
                }
            } catch {
                self.logger.debug("housekeeping waits for the database", metadata: ["error": "\(error)"])
            }
            self.wakeup.signal()
            let jitter = Double.random(in: 0.75..<1.25)
            try? await Task.sleep(for: self.configuration.pollInterval * jitter)
        }
    }

    /// Looks at jobs in doubt, a few at a time: recovery must neither starve nor crowd out fresh sign-ups.
    private func lookAtDoubt() async throws {
        guard !self.isDraining.load(ordering: .relaxed), await self.isOpen() else { return }
        let sentAt = ContinuousClock.now
        let rows = try await self.pool.query(ClaimedJob.doubtful(limit: 16, self.terms))
        let jobs = try rows.map { try ClaimedJob.read($0, state: .looking, worker: self.terms.worker).job }
        let results = await withTaskGroup(of: JobResult.self, returning: [JobResult].self) { group in
            for job in jobs {
                group.addTask { await self.jobRun.run(job, leaseEnd: sentAt + self.configuration.lease) }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        let batch = FinishBatch(results)
        guard !batch.statements.isEmpty else { return }
        try await self.pool.withConnection { connection in
            let answers = try await connection.pipeline(batch.statements.map { [$0] }).map { $0[0] }
            try await batch.settle(answers, on: connection, logger: self.logger)
        }
    }
}
