// SPDX-License-Identifier: Apache-2.0
// Jobs in doubt are looked at beside the creates: a few at a time, and each that ends makes room for the next.

import Foundation
import Lifecycle
import Logging
import Model
import Postgres
import Queue
import Synchronization

/// The looks slide: a slow one holds nobody else. Each result is written as it comes, so that a slow look does not cost
/// the others their lease.
extension OnboardingWorker {
    /// What the loop knows between two turns.
    private struct LookState {
        var inHand = JobsInHand()
        /// The tags of the jobs in hand.
        var tags: [JobID: String] = [:]
        /// Results that are not yet in the database.
        var unwritten: [JobResult] = []
        /// The terms of a claim whose answer was lost. Nothing is claimed before its jobs are back.
        var lost: ClaimTerms?
    }

    /// Looks at jobs in doubt as long as some are due, and waits for time to make others due. Returns when the worker
    /// ends and all looks have come back.
    ///
    /// Cancelled here: looks under way end as failed, and their jobs stay in doubt.
    func lookAtDoubt() async {
        await withDiscardingTaskGroup { group in
            var state = LookState()
            while true {
                self.takeLooks(&state)
                if self.isEnding && state.inHand.count == 0 {
                    let batch = self.batch(state.unwritten)
                    return await batch.writeAtTheEnd(to: self.pool, self.logger)
                }
                await self.writeLooks(&state)
                let claimed = await self.claimLooks(&state)
                for held in claimed { state.tags[held.job.lease.job] = held.job.tag }
                for held in claimed { self.begin(held, &state, in: &group) }
                if claimed.isEmpty && self.looked.withLock(\.isEmpty) { await self.due.wait() }
                // A cancelled wait returns at once. Give way, so that the looks can end.
                if Task.isCancelled { await Task.yield() }
            }
        }
    }

    private func begin(_ held: HeldJob, _ state: inout LookState, in group: inout DiscardingTaskGroup) {
        let (job, leaseEnd, era) = held
        state.inHand.begin(job.lease.job)
        let isOneOfMany = state.tags.values.count { $0 == job.tag } >= Self.many
        group.addTask {
            let result = await self.jobRun.run(job, leaseEnd: leaseEnd, era: era, isOneOfMany: isOneOfMany)
            self.looked.withLock { $0.append(result) }
            self.due.signal()
        }
    }

    /// So many jobs of one tag at once are looked up in one list of the tag, as after a crash. A page shows 250.
    private static let many = 8

    private func takeLooks(_ state: inout LookState) {
        let back = self.looked.withLock { results in
            defer { results = [] }
            return results
        }
        for result in back {
            state.inHand.end(result.job)
            state.tags[result.job] = nil
        }
        state.unwritten += back
    }

    /// Cancelled or failed here: the results stay in hand, and the next turn writes them.
    private func writeLooks(_ state: inout LookState) async {
        guard !state.unwritten.isEmpty else { return }
        let batch = self.batch(state.unwritten)
        if await batch.write(to: self.pool, self.logger) { state.unwritten = [] }
    }

    /// Claims as many jobs as there is room for. While results cannot be written, or a claim is lost, nothing more is
    /// begun.
    ///
    /// Cancelled or failed here: what was claimed is put back by the next turn, or falls to its lease.
    private func claimLooks(_ state: inout LookState) async -> [HeldJob] {
        guard !self.isEnding, state.unwritten.isEmpty else { return [] }
        if let lost = state.lost {
            guard await self.putBack(.looks, lost, held: state.inHand.all) else { return [] }
            state.lost = nil
        }
        let room = self.configuration.looks - state.inHand.count
        guard room > 0, let terms = self.identity.terms(of: .looks),
            (try? await self.provider.allowsCalls()) ?? false
        else { return [] }
        let leaseEnd = ContinuousClock.now + self.configuration.lease
        do {
            let rows = try await self.pool.query(ClaimedJob.doubtful(limit: room, terms))
            let jobs = try rows.map { try ClaimedJob.read($0, state: .looking, worker: terms.worker).job }
            let starved = jobs.filter(\.needsTagToBeRecorded)
            state.unwritten += await self.putBackIntoDoubtWithoutTag(starved, terms)
            if !starved.isEmpty { self.due.signal() }
            return jobs.filter { !$0.needsTagToBeRecorded }.map { ($0, leaseEnd, terms.era) }
        } catch {
            state.lost = terms
            self.logger.debug("looks wait for the database", metadata: ["error": "\(error)"])
            return []
        }
    }
}

extension ClaimedJob {
    /// What a look finds must have a tag to be recorded under.
    fileprivate var needsTagToBeRecorded: Bool {
        self.tag == nil && self.life.isWanted && self.life.recorded == nil
    }
}
