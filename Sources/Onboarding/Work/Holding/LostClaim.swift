// SPDX-License-Identifier: Apache-2.0
// The answer to a claim was lost: what it may have taken goes back at once, because nothing was sent for it.

import Logging
import Model
import Postgres
import Queue

extension OnboardingWorker {
    /// Puts back the jobs that the id in `terms` holds and that are not in `held`, and gives the loop a new id. Returns
    /// false when that has failed. The loop then claims nothing and asks again.
    ///
    /// Cancelled here: the jobs may have gone back or not. Those that have not fall to their leases.
    func putBack(_ loop: WorkerIdentity.Loop, _ terms: ClaimTerms, held: [JobID]) async -> Bool {
        let lost = PutBack(
            worker: terms.worker, state: loop == .queue ? .armed : .looking, held: held, era: terms.era)
        do {
            let count = try await self.pool.withConnection { connection in
                let count = try await connection.query(lost.statement).count
                try await self.identity.renew(loop, after: terms, on: connection)
                return count
            }
            if count > 0 {
                self.logger.notice("a claim's answer was lost; its jobs went back", metadata: ["jobs": "\(count)"])
            }
            return true
        } catch {
            self.logger.debug("a lost claim waits for the database", metadata: ["error": "\(error)"])
            return false
        }
    }
}
