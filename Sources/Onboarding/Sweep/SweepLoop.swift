// SPDX-License-Identifier: Apache-2.0
// The worker's loop of everything that the sweep does by itself.

import Foundation
import Logging

extension OnboardingWorker {
    /// Visits tags that are due, and rests about a second when none is.
    ///
    /// Cancelled here: see `visitDueTags`.
    func sweepNowAndThen() async {
        while !Task.isCancelled {
            var visited = 0
            do {
                visited = try await self.visitDueTags()
            } catch {
                self.logger.debug("a visit was broken off", metadata: ["error": "\(error)"])
            }
            if visited == 0 { await self.rest() }
        }
    }
}
