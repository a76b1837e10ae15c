// SPDX-License-Identifier: Apache-2.0
// The work loop rests until a signal, or until the budget of the provider's calls may have room again.

import ProviderLimits
import Queue

extension OnboardingWorker {
    /// Waits for a signal, but no longer than the present slice of the budget when it has no more creates.
    ///
    /// Cancelled here: returns at once.
    func waitForWork() async {
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
}
