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
    /// The provider's words to a rejection.
    var words: String?
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
        self.needsFreshList = self.isFromDoubt
        self.accountShare = job.lease.state == .armed ? .creates : nil
        self.path =
            self.isFromDoubt ? .looked : job.life.attempts + job.life.failures > 0 ? .retried : .straight
    }
}
