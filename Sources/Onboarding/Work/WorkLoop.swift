// SPDX-License-Identifier: Apache-2.0
// The worker's loop: write what has come back, claim what there is room for, run it; one round trip to the database a
// turn.

import Lifecycle
import Logging
import Model
import Postgres
import ProviderLimits
import Queue
import Synchronization
import Telemetry
import Telnyx

/// A claimed job starts to run in a task of its own. Its result comes back into `results`, and the next turn writes it.
extension OnboardingWorker {
    /// A claimed job, when its lease ends by the local clock, counted from before the claim was sent, and the era that
    /// it was claimed in.
    typealias HeldJob = (job: ClaimedJob, leaseEnd: ContinuousClock.Instant, era: Int64)

    /// What the loop knows between two turns.
    private struct LoopState {
        var inHand = JobsInHand()
        /// The terms of a claim whose answer was lost. Nothing is claimed before its jobs are back.
        var lost: ClaimTerms?
        /// Results that are not yet in the database.
        var unwritten: [JobResult] = []
        var cursor = ClaimCursor(now: .now)
        /// Turns in a row in which the database could not be reached.
        var failures = 0
    }

    /// Takes turns until the worker ends and all that it sent has come back.
    func work(in group: inout DiscardingTaskGroup) async {
        var state = LoopState()
        while true {
            self.metrics.worker?.turned()
            self.takeResults(&state)
            await self.putBackLost(&state)
            if self.isEnding && state.inHand.count == 0 {
                let batch = self.batch(state.unwritten)
                return await batch.writeAtTheEnd(to: self.pool, self.logger)
            }
            let held = await self.exchange(&state)
            for job in held {
                state.inHand.begin(job.job.lease.job)
                group.addTask { await self.run(job) }
            }
            if held.isEmpty && self.results.withLock(\.isEmpty) { await self.waitForWork() }
            // A cancelled wait returns at once. Give way, so that the runs can end.
            if Task.isCancelled { await Task.yield() }
        }
    }

    private func run(_ held: HeldJob) async {
        let result = await self.jobRun.run(held.job, leaseEnd: held.leaseEnd, era: held.era)
        self.results.withLock { $0.append(result) }
        self.wakeup.signal()
    }

    /// What writes these results, and counts what comes of them.
    func batch(_ results: [JobResult]) -> FinishBatch {
        FinishBatch(results, metrics: self.metrics, counts: self.counts)
    }

    private func takeResults(_ state: inout LoopState) {
        let back = self.results.withLock { results in
            defer { results = [] }
            return results
        }
        for result in back { state.inHand.end(result.job) }
        state.unwritten += back
    }

    /// Puts back what a claim has taken whose answer was lost.
    ///
    /// Cancelled or failed here: nothing is claimed, and the next turn asks again.
    private func putBackLost(_ state: inout LoopState) async {
        guard let terms = state.lost else { return }
        let held = state.inHand.all + state.unwritten.map(\.job)
        guard await self.putBack(.queue, terms, held: held) else { return }
        state.lost = nil
        state.inHand.forgetRefused()
    }

    /// Waits for a signal, but no longer than the present slice of the budget when it has no more creates.
    ///
    /// Cancelled here: returns at once.
    private func waitForWork() async {
        guard let rest = self.provider.limits.remainingRest() else { return await self.wakeup.wait() }
        await withDiscardingTaskGroup { group in
            let wakeup = self.wakeup
            group.addTask {
                // A rest that was cut short signals nothing, else the next wait would end at once, and so for ever.
                if (try? await Task.sleep(for: rest)) != nil { wakeup.signal() }
            }
            await wakeup.wait()
            group.cancelAll()
        }
    }

    /// Writes results and claims, each under its own sync of one pipeline. Returns the claimed jobs that can be run.
    private func exchange(_ state: inout LoopState) async -> [HeldJob] {
        let batch = self.batch(state.unwritten)
        let claim = await self.planClaim(&state)
        guard !batch.groups.isEmpty || claim != nil else { return [] }
        let sentAt = ContinuousClock.now
        let (rows, refused, failure) = await self.send(batch, claim)
        state.inHand.keep(refused: refused)
        if let claim, rows == nil {
            state.lost = claim.terms
            self.wakeup.signal()
        }
        await self.provider.limits.returnPermits((claim?.permits ?? 0) - (rows?.count ?? 0))
        await self.note(failure, &state)
        guard let rows, let claim else { return [] }
        do {
            return try await self.take(rows, of: claim, sentAt: sentAt, &state)
        } catch {
            // Their leases will expire, and `Rescue` puts them into doubt.
            self.logger.error("claimed jobs cannot be read", metadata: ["error": "\(error)", "jobs": "\(rows.count)"])
            return []
        }
    }

    /// Takes permits for as many creates as there is room for. Returns nil when nothing may be claimed now.
    private func planClaim(_ state: inout LoopState) async -> PlannedClaim? {
        // While results cannot be written nothing more is begun.
        let isHeld = self.isEnding || state.failures > 0 && !state.unwritten.isEmpty || state.lost != nil
        let free = isHeld ? 0 : self.configuration.concurrency - state.inHand.count
        let room = free > 0 ? await self.roomUnderBrake(free) : 0
        let start = state.cursor.start(at: .now)
        if room > 0, let terms = self.identity.terms {
            let permits = await self.provider.limits.takePermits(room) { await self.hasQueued(from: start) }
            if permits > 0 {
                let stopped = await self.provider.limits.stoppedScopes()
                return PlannedClaim(start: start, permits: permits, terms: terms, stopped: stopped)
            }
        }
        state.cursor.foundNothing()
        return nil
    }

    /// Returns for how many creates the brake has room. A stopped brake is asked to look at the provider when that is due.
    ///
    /// Cancelled here: the look fails, and the brake stays stopped.
    private func roomUnderBrake(_ wanted: Int) async -> Int {
        let brake = self.provider.limits.brake
        switch brake.room(for: wanted) {
        case .creates(let count): return count
        case .wait: return 0
        case .lookFirst:
            // Any answer to a cheap question shows that the provider is back.
            let query = ListQuery(name: self.names.probe, pageSize: 1)
            do throws(TelnyxFailure) {
                _ = try await self.provider.list(query, page: 1)
                brake.looked(isAnswered: true)
            } catch {
                // A look that was not sent says nothing: it is due all the same.
                if error.isHeldBack { return 0 }
                brake.looked(isAnswered: ![.unavailable, .unreadable].contains(error.kind))
            }
            if case .creates(let count) = brake.room(for: wanted) { return count }
            return 0
        }
    }

    /// Whether a claim would find something. Index jobs_queued.
    private func hasQueued(from start: QueueStart) async -> Bool {
        (try? await self.pool.query(JobQueue.hasCandidates(from: start)))?.isEmpty == false
    }

    /// Sends both. The claim stands by itself: it is claimed, whatever became of the results. `refused` are jobs whose
    /// result is given up.
    private func send(
        _ batch: FinishBatch, _ claim: PlannedClaim?
    ) async -> (claimed: PostgresRows?, refused: [JobID], failure: (any Error)?) {
        do {
            return try await self.pool.withConnection { connection in
                let answers = try await connection.pipeline(batch.groups + (claim?.groups ?? []))
                let last = claim == nil ? nil : answers.last?.first
                let claimed = try? last?.get()
                var refused: [JobID] = []
                do {
                    refused = try await batch.receive(
                        Array(answers.prefix(batch.groups.count)), on: connection, logger: self.logger)
                    _ = try last?.get()
                } catch {
                    return (claimed, refused, error)
                }
                return (claimed, refused, nil)
            }
        } catch {
            return (nil, [], error)
        }
    }

    /// Nothing is lost by a failure: results stay in hand and are written when the database is back. A write that did
    /// happen is found done, because every statement is guarded.
    ///
    /// Cancelled here: the pause ends, and the loop goes on to its end.
    private func note(_ failure: (any Error)?, _ state: inout LoopState) async {
        guard let failure else {
            state.unwritten = []
            if state.failures > 0 { self.logger.notice("worker reaches the database again") }
            state.failures = 0
            return
        }
        state.failures += 1
        self.logger.warning("worker cannot reach the database", metadata: ["error": "\(failure)"])
        try? await Task.sleep(for: .milliseconds(min(2000, 50 << min(state.failures, 6))))
    }

    /// Reads the claimed jobs and moves the cursor. A job for which no tag had room goes back to its place.
    private func take(
        _ rows: PostgresRows, of claim: PlannedClaim, sentAt: ContinuousClock.Instant, _ state: inout LoopState
    ) async throws -> [HeldJob] {
        let claimed = try rows.map { try ClaimedJob.read($0, state: .armed, worker: claim.terms.worker) }
        let starved = claimed.filter(\.job.needsTag)
        let isShort = rows.count < claim.permits && starved.isEmpty
        let now = ContinuousClock.now
        let place = isShort ? nil : (starved.first ?? claimed.last)?.place
        let hasNewcomer = state.cursor.advanced(from: claim.start, to: place, took: now - sentAt, at: now)
        state.unwritten += await self.putBackWithoutTag(starved.map(\.job), claim.terms)
        if hasNewcomer || !starved.isEmpty { self.wakeup.signal() }
        await self.demandVisits(for: claimed.map(\.job))
        return claimed.map(\.job).filter { !$0.needsTag }.map {
            ($0, sentAt + self.configuration.lease, claim.terms.era)
        }
    }
}
