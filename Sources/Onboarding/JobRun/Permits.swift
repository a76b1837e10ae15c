// SPDX-License-Identifier: Apache-2.0
// A create needs two permits: the account's and its connection's. A run gives back what it did not use.

import Model
import ProviderLimits

extension JobRun {
    /// Takes the permits that this run does not hold yet.
    func takePermits(_ state: inout RunState) async -> Permission {
        if state.accountShare == nil {
            guard await self.provider.limits.takeRecoveryPermit() else { return .wait(.seconds(5)) }
            state.accountShare = .looks
        }
        if !state.holdsConnectionPermit {
            let permission = await self.provider.limits.takePermit(
                for: state.job.connectionID, of: state.job.user.tenant.rawValue)
            guard permission == .granted else { return permission }
            state.holdsConnectionPermit = true
        }
        return .granted
    }

    /// Gives back the permits that no create has used.
    func releasePermits(_ state: RunState) async {
        if state.holdsConnectionPermit {
            await self.provider.limits.returnPermit(
                for: state.job.connectionID, of: state.job.user.tenant.rawValue)
        }
        if let share = state.accountShare { await self.provider.limits.returnPermits(1, of: share) }
    }
}
