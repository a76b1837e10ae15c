// SPDX-License-Identifier: Apache-2.0
// The worker looks up names in doubt beside its jobs.

import Logging

extension OnboardingWorker {
    /// Follows the names that are due. Rests about a second when few are.
    ///
    /// Any number of nodes do this: names that are taken are not due for two minutes. Cancelled here: what was taken is
    /// due again then.
    func followDoubts() async {
        let provider = self.provider.forSweep
        let follower = DoubtFollower(
            pool: self.pool, provider: provider, names: self.names, pacer: self.pacer,
            deadline: self.configuration.httpDeadline)
        while !Task.isCancelled {
            do {
                if self.identity.terms != nil, try await provider.allowsCalls(),
                    try await follower.followDue() == DoubtFollower.limit
                {
                    continue
                }
            } catch {
                self.logger.debug("names in doubt wait for the database", metadata: ["error": "\(error)"])
            }
            try? await Task.sleep(for: .seconds(1) * Double.random(in: 0.75..<1.25))
        }
    }
}
