// SPDX-License-Identifier: Apache-2.0
// A look has proven absence: the job needs permits, a new epoch and a new lease before its create.

import Foundation
import Lifecycle
import Model
import Postgres
import ProviderLimits
import Queue
import Telnyx

extension JobRun {
    /// Returns a result when the create may not be sent.
    ///
    /// Permission is asked before the job is armed again: a job that is refused here keeps its quiet time, so its next
    /// look may prove absence again. While its scope is stopped it is set aside, and does not look: a create that lands
    /// late is found by its name in doubt or by a visit, which makes the job look at once.
    func renewLease(_ state: inout RunState) async -> JobResult? {
        if case .wait(let wait) = await self.takePermits(&state) {
            let (connection, tenant) = (state.job.connectionID, state.job.user.tenant.rawValue)
            if let scope = await self.provider.limits.stoppedScope(of: connection, tenant) {
                return self.setAside(state, for: scope)
            }
            return self.backIntoDoubt(state, wait + wait * self.random())
        }
        return await self.writeNewLease(&state) ? nil : self.doubt(state, .seconds(1))
    }

    /// Cancelled or failed here: the job stays in doubt, or its lease expires into doubt.
    private func writeNewLease(_ state: inout RunState) async -> Bool {
        let started = ContinuousClock.now
        let held = state.job.lease
        let statement = held.renewed(
            lease: self.lease, landingTime: self.rules.landingTime, era: state.era, look: state.logged(Trace()))
        guard let row = try? await self.pool.query(statement).first, let epoch = try? row.decode(Int64.self) else {
            return false
        }
        state.job.lease = Lease(job: held.job, epoch: epoch, worker: held.worker, state: .armed)
        state.leaseEnd = started + self.lease
        state.hasProof = true
        state.beginStep()
        return true
    }

    /// What was sent ends the proof of absence. A create that was provably not sent, or refused, leaves it as it was.
    func weaken(_ state: inout RunState, by outcome: CreateOutcome) {
        switch outcome {
        case .notSent, .rateLimited, .unauthorised: break
        case .created, .rejected, .inDoubt: state.hasProof = false
        }
    }
}
