// SPDX-License-Identifier: Apache-2.0
// What is in doubt is looked at: a few jobs at a time, beside the creates, each written down as it is found.

import Foundation
import Lifecycle
import Logging
import Model
import Postgres
import ProviderLimits
import Queue
import Telnyx

extension OnboardingWorker {
    /// Looks at jobs in doubt, a few at a time, as long as some are due; then waits until time has made others due.
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

    /// Claims what is due, looks, and writes what was found. Answers how many jobs there were.
    private func lookOnce() async throws -> Int {
        guard let terms = self.identity.terms, try await self.provider.limits.allowsCalls() else { return 0 }
        let sentAt = ContinuousClock.now
        let rows = try await self.pool.query(ClaimedJob.doubtful(limit: self.configuration.looks, terms))
        let jobs = try rows.map { try ClaimedJob.read($0, state: .looking, worker: terms.worker).job }
        guard !jobs.isEmpty else { return 0 }
        // What is found must have a tag to be recorded under: without one the job comes again when the next tag is
        // open.
        let starved = jobs.filter { $0.tag == nil && $0.life.isWanted && $0.life.recorded == nil }
        for tenant in Set(starved.map(\.user.tenant)) {
            _ = await TagShards.open(for: tenant, capacity: terms.tagCapacity, on: self.pool, self.logger)
        }
        let back = starved.map { job in
            JobResult.moved(
                Transition(
                    lease: job.lease, to: .inDoubt, delay: .milliseconds(100), isDoubtful: job.life.isDoubtful,
                    empties: job.life.empties))
        }
        let leaseEnd = sentAt + self.configuration.lease
        let listed = await self.listTags(of: jobs, until: leaseEnd)
        // Each is written as it comes, for a slow look must not cost the others theirs; together at the end once one
        // could not.
        var unwritten = back
        await withTaskGroup(of: JobResult.self) { group in
            for job in jobs where !starved.contains(where: { $0.lease == job.lease }) {
                group.addTask {
                    await self.jobRun.run(job, leaseEnd: leaseEnd, listed: job.tag.flatMap { listed[$0] } ?? [])
                }
            }
            var isWritable = true
            for await result in group {
                unwritten.append(result)
                guard isWritable else { continue }
                isWritable = await FinishBatch(unwritten).write(to: self.pool, self.logger)
                if isWritable { unwritten = [] }
            }
        }
        await FinishBatch(unwritten).writeAtTheEnd(to: self.pool, self.logger)
        return jobs.count
    }

    /// When many jobs of one tag are in doubt, as after a crash, one list of the tag shows most of what there is: a
    /// page per 250 instead of a list per name. It proves presence only; who is not on it is looked up by name.
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
