// SPDX-License-Identifier: Apache-2.0
// One job, from claim to result: ask the state machine, do the one thing it says, tell it what happened, until it is
// put down.

import Foundation
import Lifecycle
import Logging
import Model
import Postgres
import ProviderLimits
package import Queue
import Telnyx
import Vault

/// What one run of a job leaves to be written.
package enum JobResult: Sendable {
    case owned(Evidence)
    case moved(Transition)
    case ended(Ending)
    case buried(Burial)
}

/// Runs one job against the provider. Holds no lock and writes nothing but surplus and a new lease.
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
    let random: @Sendable () -> Double

    /// Runs `job` to its result. `leaseEnd` is by the local clock, counted from before the claim was sent. `listed` is
    /// what a list of the job's tag has shown: presence, never absence.
    ///
    /// Cancelled here: a call under way ends as in doubt, and that is the result.
    func run(
        _ job: ClaimedJob, leaseEnd: ContinuousClock.Instant, listed: [TelephonyCredential] = []
    ) async -> JobResult {
        var turn = Turn(job: job, leaseEnd: leaseEnd, listed: listed)
        var (life, effects) = job.life.step(.claimed, rules: self.rules, jitter: self.random())
        // Who was not found once, and could not be made now, need not be looked for again.
        if turn.isFromDoubt, turn.empties > 0, life.isWanted, life.recorded == nil,
            let wait = await self.provider.limits.remainingStop(of: job.connectionID)
        {
            return self.putBack(turn, wait + wait * self.random())
        }
        while true {
            turn.job.life = life
            switch await self.perform(effects, &turn) {
            case .result(let result):
                await self.release(turn)
                return result
            case .event(let event): (life, effects) = life.step(event, rules: self.rules, jitter: self.random())
            }
        }
    }

    /// What the run knows beside the life of the job.
    struct Turn {
        var job: ClaimedJob
        var leaseEnd: ContinuousClock.Instant
        var listed: [TelephonyCredential]
        var found: TelephonyCredential?
        /// In hand before a create is sent: what cannot be sealed must not be made.
        var sealer: Sealer?
        var trace = Trace()
        var words: String?
        var hasFailed = false
        let isFromDoubt: Bool
        /// The account's permission for one create; the queue's were given before the claim.
        var accountShare: Share?
        var holdsConnection = false
        /// Empty answers before this run.
        let empties: Int

        init(job: ClaimedJob, leaseEnd: ContinuousClock.Instant, listed: [TelephonyCredential]) {
            self.job = job
            self.leaseEnd = leaseEnd
            self.listed = listed
            self.isFromDoubt = job.lease.state == .looking
            self.accountShare = job.lease.state == .armed ? .queue : nil
            self.empties = job.life.empties
        }
    }

    enum Outcome {
        case event(JobEvent)
        case result(JobResult)
    }

    private func perform(_ effects: [JobEffect], _ turn: inout Turn) async -> Outcome {
        for effect in effects {
            switch effect {
            case .surplus(let ids): await self.remember(ids, turn)
            case .renewLease:
                // Asked before absence is spent: who is refused here keeps the empty answers it had.
                if let wait = await self.permit(&turn) {
                    return .result(self.putBack(turn, wait + wait * self.random()))
                }
                guard await self.rearm(&turn) else { return .result(self.doubt(turn, .seconds(1))) }
            case .create: return .event(await self.create(&turn))
            case .look: return .event(await self.look(&turn))
            case .delete(let id): return .event(await self.delete(id, &turn))
            case .record(let id): return .result(await self.own(id, &turn))
            case .closeGeneration(let id): return .result(.ended(self.ending(turn, id.map { .deleted($0) } ?? .absent)))
            case .finish: return .result(.ended(self.ending(turn, .fulfilled)))
            case .goToOtherGoal(let delay):
                let isMade = turn.job.life.recorded != nil
                return .result(.ended(self.ending(turn, .passedOver(after: delay, isMade: isMade))))
            case .schedule(let delay, let isCharged, let dropsTag):
                return .result(self.scheduled(turn, delay, isCharged: isCharged, dropsTag: dropsTag))
            case .doubt(let delay, let isCharged, let landingTime):
                return .result(self.doubt(turn, delay, isCharged: isCharged, landingTime: landingTime))
            case .giveUp(let reason): return .result(.buried(self.burial(turn, reason)))
            }
        }
        return .result(self.doubt(turn, .seconds(1)))
    }
}
