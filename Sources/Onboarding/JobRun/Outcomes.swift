// SPDX-License-Identifier: Apache-2.0
// What a run leaves to be written when it puts its job down.

import Lifecycle
import Model
import Queue
import Telnyx

extension JobRun {
    /// The job waits for a time.
    func scheduled(_ state: RunState, _ delay: Duration, isCharged: Bool, dropsTag: Bool) -> JobResult {
        .moved(
            Transition(
                lease: state.job.lease, to: .scheduled, delay: delay, isCharged: isCharged,
                isDoubtful: state.job.life.isDoubtful, isFailure: state.hasFailed, isUnsent: state.hasProof,
                dropsTag: dropsTag, trace: state.logged))
    }

    /// The job must look before anything else. `landingTime`: an empty answer before that long from now proves nothing.
    func doubt(
        _ state: RunState, _ delay: Duration, isCharged: Bool = false, landingTime: Duration? = nil
    ) -> JobResult {
        .moved(
            Transition(
                lease: state.job.lease, to: .inDoubt, delay: delay, isCharged: isCharged,
                isDoubtful: state.job.life.isDoubtful, isFailure: state.hasFailed,
                landingTime: landingTime, trace: state.logged))
    }

    /// The job goes back into doubt as it came.
    func backIntoDoubt(_ state: RunState, _ delay: Duration) -> JobResult {
        .moved(
            Transition(
                lease: state.job.lease, to: .inDoubt, delay: delay, isDoubtful: state.job.life.isDoubtful,
                trace: state.logged(Trace(errorCode: "waits_for_limit"))))
    }

    /// The job waits until this scope is stopped no more, and then looks again. It keeps its doubt, its quiet time and
    /// its tag.
    func setAside(_ state: RunState, for scope: String) -> JobResult {
        .moved(
            Transition(
                lease: state.job.lease, to: .scheduled, delay: .zero, isDoubtful: state.job.life.isDoubtful,
                waitsFor: scope, trace: state.logged(Trace(errorCode: "waits_for_limit"))))
    }

    /// The job's generation is done with.
    func ended(_ state: RunState, _ how: Ending.How) -> JobResult {
        .ended(
            Ending(
                lease: state.job.lease, user: state.job.user, generation: state.job.life.generation, how: how,
                trace: state.logged))
    }

    /// The job goes to another generation first, and comes back to this one after `delay`.
    func passedOver(_ state: RunState, after delay: Duration) -> JobResult {
        self.ended(state, .passedOver(after: delay, isMade: state.job.life.recorded != nil))
    }

    /// The worker stops trying.
    func buried(_ state: RunState, _ reason: String) -> JobResult {
        .buried(
            Burial(
                lease: state.job.lease, user: state.job.user, reason: reason, words: state.words?.text,
                providerCode: state.words?.code, mayExist: state.job.life.isDoubtful, trace: state.logged))
    }

    /// The name of this job's credential at the provider.
    func name(_ state: RunState) -> String {
        self.names.name(for: state.job.user, generation: state.job.life.generation)
    }
}

extension Trace {
    init(_ trace: ProviderTrace, code: String? = nil) {
        self.init(httpStatus: trace.httpStatus, requestID: trace.requestID, errorCode: code)
    }
}
