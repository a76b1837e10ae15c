// SPDX-License-Identifier: Apache-2.0
// One job, from claim to result: ask the state machine, do the one thing it says, tell it what happened, until it is
// put down.

import Foundation
import Lifecycle
import Logging
import Model
import Postgres
import ProviderLimits
import Queue
import Telemetry
import Telnyx
import Vault

/// Runs one job against the provider. `JobLife.step` decides; the verbs of this room carry it out, one file each:
/// create, look, delete, seal, renew the lease. `Outcomes` says what a run leaves to be written.
///
/// A run holds no lock, and writes nothing but surplus and a new lease.
struct JobRun: Sendable {
    let provider: GuardedProvider
    let pool: PostgresPool
    let vault: Vault
    let throttledLog: ThrottledLog
    let witness: Witness
    let names: CredentialName
    let rules: LifeRules
    let lease: Duration
    let tagCapacity: Int
    /// How long one call to the provider may take.
    let deadline: Duration
    /// Random numbers in 0..<1, for jitter.
    let random: @Sendable () -> Double
    var metrics = Measurements()
    /// The names of strays, which a job may have to adopt; nil: there are none.
    var strayNames: StrayNames?
    /// Shared by all runs of the node.
    var tagLists = TagLists()

    /// Runs `job` to its result. `leaseEnd` is by the local clock, counted from before the claim was sent. `era` is
    /// the one that it was claimed in. `isOneOfMany`: many jobs of its tag are looked at now.
    ///
    /// Cancelled here: a call under way ends as in doubt, and that is the result.
    func run(
        _ job: ClaimedJob, leaseEnd: ContinuousClock.Instant, era: Int64? = nil, isOneOfMany: Bool = false
    ) async -> JobResult {
        var state = RunState(job: job, leaseEnd: leaseEnd, era: era, isOneOfMany: isOneOfMany)
        if self.strayNames?.mayHold(self.name(state)) == true {
            state.job.life.trust.looksFirst = true
            state.needsFreshList = true
        }
        var event = JobEvent.claimed
        while true {
            let effects: [JobEffect]
            (state.job.life, effects) = state.job.life.step(event, rules: self.rules, jitter: self.random())
            switch await self.perform(effects, &state) {
            case .event(let next): event = next
            case .result(let result):
                await self.releasePermits(state)
                return result
            }
        }
    }

    private enum Progress {
        case event(JobEvent)
        case result(JobResult)
    }

    /// Carries out the effects in order, up to the first that has an event or a result.
    private func perform(_ effects: [JobEffect], _ state: inout RunState) async -> Progress {
        for effect in effects {
            switch effect {
            case .surplus(let ids): await self.remember(ids, state)
            case .renewLease:
                if let result = await self.renewLease(&state) { return .result(result) }
            case .create: return .event(await self.create(&state))
            case .look: return .event(await self.look(&state))
            case .delete(let id): return .event(await self.delete(id, &state))
            // What is recorded is sealed first.
            case .record(let id): return .result(await self.seal(id, &state))
            case .closeGeneration(let id): return .result(self.ended(state, id.map { .deleted($0) } ?? .absent))
            case .finish: return .result(self.ended(state, .fulfilled))
            case .goToOtherGoal(let delay): return .result(self.passedOver(state, after: delay))
            case .schedule(let delay, let isCharged, let dropsTag):
                return .result(self.scheduled(state, delay, isCharged: isCharged, dropsTag: dropsTag))
            case .doubt(let delay, let isCharged, let landingTime):
                return .result(self.doubt(state, delay, isCharged: isCharged, landingTime: landingTime))
            case .giveUp(let reason): return .result(self.buried(state, reason))
            }
        }
        // Not reached: every list of effects ends with one of these. To look again is always safe.
        return .result(self.doubt(state, .seconds(1)))
    }
}
