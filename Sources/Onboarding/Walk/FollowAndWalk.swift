// SPDX-License-Identifier: Apache-2.0
// The worker looks up names in doubt, and walks the account, beside its jobs.

import Logging
import ProviderLimits

extension OnboardingWorker {
    /// Follows the names that are due, then takes a step of the walk. Rests about a second when little is due.
    ///
    /// Any number of nodes do this: rows that are taken are not due for two minutes. Cancelled here: what was taken is
    /// due again then.
    func followAndWalk() async {
        // Pages wait for their turn. Names that were taken are due again in two minutes.
        let follower = DoubtFollower(
            pool: self.pool, provider: self.provider.forSweep(.doubts), names: self.names, deadline: .seconds(60))
        let walk = AccountWalk(pool: self.pool, provider: self.provider.forSweep(.walk), names: self.names)
        while !Task.isCancelled {
            do {
                if self.identity.terms != nil, try await walk.provider.allowsCalls() {
                    if try await follower.followDue() == DoubtFollower.limit { continue }
                    _ = try await walk.step()
                }
            } catch {
                self.logger.debug("names in doubt wait for the database", metadata: ["error": "\(error)"])
            }
            await self.rest()
        }
    }
}
