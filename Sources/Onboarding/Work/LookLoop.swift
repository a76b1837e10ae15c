// SPDX-License-Identifier: Apache-2.0
// Jobs in doubt are looked at: a few at a time, beside the creates, and each is written down as it is found.

import Foundation
import Lifecycle
import Logging
import Model
import Postgres
import Queue
import Telnyx

extension OnboardingWorker {
    /// Looks at jobs in doubt as long as some are due, then waits until time has made others due.
    ///
    /// Cancelled here: looks under way end as failed, and their jobs stay in doubt.
    func lookAtDoubt() async {
        while !self.isEnding {
            let looked: Int
            do {
                looked = try await self.lookOnce()
            } catch {
                self.logger.debug("looks wait for the database", metadata: ["error": "\(error)"])
                looked = 0
            }
            if looked < self.configuration.looks { await self.due.wait() }
        }
    }

    /// Claims what is due, looks, and writes what was found. Returns how many jobs there were.
    private func lookOnce() async throws -> Int {
        guard let terms = self.identity.terms, try await self.provider.allowsCalls() else { return 0 }
        let leaseEnd = ContinuousClock.now + self.configuration.lease
        let rows = try await self.pool.query(ClaimedJob.doubtful(limit: self.configuration.looks, terms))
        let jobs = try rows.map { try ClaimedJob.read($0, state: .looking, worker: terms.worker).job }
        guard !jobs.isEmpty else { return 0 }
        let starved = jobs.filter(\.needsTagToBeRecorded)
        let back = await self.putBackIntoDoubtWithoutTag(starved, terms)
        let others = jobs.filter { !$0.needsTagToBeRecorded }
        let listed = await self.listTags(of: others, until: leaseEnd)
        await self.look(at: others, leaseEnd: leaseEnd, listed: listed, beside: back)
        return jobs.count
    }

    /// Each result is written as it comes: a slow look must not cost the others their lease. Once one could not be
    /// written, the rest is written together at the end.
    private func look(
        at jobs: [ClaimedJob], leaseEnd: ContinuousClock.Instant, listed: [String: [TelephonyCredential]],
        beside back: [JobResult]
    ) async {
        var unwritten = back
        await withTaskGroup(of: JobResult.self) { group in
            for job in jobs {
                group.addTask {
                    await self.jobRun.run(job, leaseEnd: leaseEnd, listed: job.tag.flatMap { listed[$0] } ?? [])
                }
            }
            var isWritable = true
            for await result in group {
                unwritten.append(result)
                guard isWritable else { continue }
                isWritable = await FinishBatch(unwritten, metrics: self.metrics).write(to: self.pool, self.logger)
                if isWritable { unwritten = [] }
            }
        }
        await FinishBatch(unwritten, metrics: self.metrics).writeAtTheEnd(to: self.pool, self.logger)
    }

    /// Lists a tag when many of its jobs are in doubt, as after a crash: a page shows 250, instead of a list per name.
    /// It proves presence only. A job that is not on it is looked up by name.
    private func listTags(
        of jobs: [ClaimedJob], until deadline: ContinuousClock.Instant
    ) async -> [String: [TelephonyCredential]] {
        let limit = min(deadline - self.configuration.httpDeadline, .now + self.configuration.httpDeadline)
        return await withTaskGroup(of: (String, [TelephonyCredential]?).self) { group in
            for (tag, jobs) in Dictionary(grouping: jobs, by: \.tag) where jobs.count >= 8 {
                guard let tag else { continue }
                group.addTask { (tag, try? await self.provider.listAll(ListQuery(tag: tag), until: limit)) }
            }
            return await group.reduce(into: [:]) { listed, one in listed[one.0] = one.1 }
        }
    }
}

extension ClaimedJob {
    /// What a look finds must have a tag to be recorded under.
    fileprivate var needsTagToBeRecorded: Bool {
        self.tag == nil && self.life.isWanted && self.life.recorded == nil
    }
}
