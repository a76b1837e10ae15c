// SPDX-License-Identifier: Apache-2.0
// What a run knows beside the life of its job.

import Lifecycle
import Model
import ProviderLimits
import Queue
import Telemetry
import Telnyx
import Vault

struct RunState {
    var job: ClaimedJob
    /// By the local clock.
    var leaseEnd: ContinuousClock.Instant
    /// When the run began. The claim was answered before.
    let begun = ContinuousClock.now
    /// The era that the job was claimed in; nil: not known, as in a test.
    let era: Int64?
    /// Whether many jobs of its tag are looked at now: one list of the tag serves all of them.
    let isOneOfMany: Bool
    /// The credential that a create or a look has brought.
    var found: TelephonyCredential?
    /// In hand before a create is sent: what cannot be sealed must not be made.
    var sealer: Sealer?
    /// Of the last call, for the log.
    var trace = Trace()
    /// Whether this run has proven absence, and nothing that may have landed was sent since.
    var hasProof = false
    /// Whether a look has found the credential.
    var isAdopted = false
    /// How long the calls of the present step took, and how long the run waited before the first; nil: it made none.
    private(set) var calls: (took: Duration, waited: Duration)?
    /// Since when no call of this run is under way.
    private var idleSince = ContinuousClock.now
    /// The provider's code and words to a rejection.
    var words: ProviderWords?
    /// Whether a call failed. Failures in a row make pauses longer.
    var hasFailed = false
    let isFromDoubt: Bool
    /// Whether something may have been seen under the job's name just before. A list from before then proves no
    /// absence.
    var needsFreshList: Bool
    /// The kind of the account's permit that this run holds. A job out of the queue got its permit before the claim.
    var accountShare: CallKind?
    var holdsConnectionPermit = false
    /// How the user comes to the credential, if this run brings one.
    let path: CredentialPath

    /// The job's tag, for lists that other runs share; nil: it has none.
    var sharedTag: SharedTag? { self.job.tag.map { SharedTag(tag: $0, era: self.era) } }

    init(job: ClaimedJob, leaseEnd: ContinuousClock.Instant, era: Int64?, isOneOfMany: Bool) {
        self.job = job
        self.leaseEnd = leaseEnd
        self.era = era
        self.isOneOfMany = isOneOfMany
        self.isFromDoubt = job.lease.state == .looking
        self.needsFreshList = self.isFromDoubt || job.mustLook
        self.accountShare = job.lease.state == .armed ? .creates : nil
        self.path =
            self.isFromDoubt ? .looked : job.life.attempts + job.life.failures > 0 ? .retried : .straight
    }

    /// Another step begins, whose calls are a line of the log by themselves.
    mutating func beginStep() { self.calls = nil }

    /// A call has ended that began then.
    mutating func noteCall(since began: ContinuousClock.Instant) {
        let ended = ContinuousClock.now
        let waited = self.calls?.waited ?? (began - self.idleSince)
        self.calls = ((self.calls?.took ?? .zero) + (ended - began), waited)
        self.idleSince = ended
    }

    /// What the log gets of the present step.
    var logged: Trace { self.logged(self.trace) }

    func logged(_ trace: Trace) -> Trace {
        var trace = trace
        trace.called = self.calls?.took
        trace.waited = self.calls?.waited
        return trace
    }
}
