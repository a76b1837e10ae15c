// SPDX-License-Identifier: Apache-2.0
// Claimed jobs for which no tag had room: their tenants get the next tag, and they come again when it is open.

import Lifecycle
import Logging
import Model
import ProviderLimits
import Queue

extension OnboardingWorker {
    /// Opens the next tag of each tenant, and returns how its jobs go back into the queue. A job that was to look first
    /// still is, although its tenant may be seen by then.
    func putBackWithoutTag(_ starved: [ClaimedJob], _ terms: ClaimTerms) async -> [JobResult] {
        var back: [JobResult] = []
        for (tenant, jobs) in Dictionary(grouping: starved, by: \.user.tenant) {
            let isOpened = await TagShards.open(for: tenant, capacity: terms.tagCapacity, on: self.pool, self.logger)
            let place: JobState = isOpened ? .queued : .scheduled
            back += jobs.map { job in
                .moved(
                    Transition(
                        lease: job.lease, to: job.life.trust.looksFirst ? .inDoubt : place,
                        delay: isOpened ? .zero : .seconds(1)))
            }
        }
        await self.provider.limits.returnPermits(starved.count)
        return back
    }

    /// Opens the next tag of each tenant, and returns how its jobs go back into doubt.
    func putBackIntoDoubtWithoutTag(_ starved: [ClaimedJob], _ terms: ClaimTerms) async -> [JobResult] {
        for tenant in Set(starved.map(\.user.tenant)) {
            _ = await TagShards.open(for: tenant, capacity: terms.tagCapacity, on: self.pool, self.logger)
        }
        return starved.map { job in
            .moved(
                Transition(
                    lease: job.lease, to: .inDoubt, delay: .milliseconds(100), isDoubtful: job.life.isDoubtful))
        }
    }
}
