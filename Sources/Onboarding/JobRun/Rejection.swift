// SPDX-License-Identifier: Apache-2.0
// A create that the provider rejected: whose fault it is, the tag's, the tenant's or the job's own.

import Lifecycle
import Model
import Postgres
import ProviderLimits
import Telnyx

extension JobRun {
    /// A rejection may mean that the tag is full, in words that nobody has published. So the worker asks how many the
    /// tag holds.
    ///
    /// The same code for different users in a row means that the tenant's settings are at fault. Lists lag: a tag that
    /// has just become full may not look it yet. So a job is rejected for good the second time only, some seconds
    /// later.
    func rejected(tag: String, code: String, _ words: ProviderWords, _ state: inout RunState) async -> JobEvent {
        guard let total = await self.total(of: tag, &state) else { return .rejectedUnclear }
        let isCounted = total >= self.tagCapacity
        if isCounted || words.soundLikeFullTag && total > 0 {
            _ = try? await self.pool.query(TagShards.isFull(tag, of: state.job.user.tenant, total: total))
            return .tagFull(isCounted: isCounted)
        }
        let user = state.job.user
        if let wait = await self.provider.limits.rejected(
            tenant: user.tenant.rawValue, code: code, user: "\(user.user)")
        {
            return .tenantRejected(wait)
        }
        return state.job.life.attempts == 0 ? .rejectedUnclear : .rejected
    }

    /// How many credentials the provider counts under the tag; nil when it does not say.
    private func total(of tag: String, _ state: inout RunState) async -> Int? {
        do throws(TelnyxFailure) {
            return try await self.provider.list(ListQuery(tag: tag, pageSize: 1), page: 1).totalResults
        } catch {
            state.hasFailed = true
            return nil
        }
    }
}
