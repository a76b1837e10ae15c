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
    /// Credentials that a list of the job's tag has shown.
    var listed: [TelephonyCredential]
    /// The credential that a create or a look has brought.
    var found: TelephonyCredential?
    /// In hand before a create is sent: what cannot be sealed must not be made.
    var sealer: Sealer?
    /// Of the last call, for the log.
    var trace = Trace()
    /// The provider's words to a rejection.
    var words: String?
    /// Whether a call failed. Failures in a row make pauses longer.
    var hasFailed = false
    let isFromDoubt: Bool
    /// The kind of the account's permit that this run holds. A job out of the queue got its permit before the claim.
    var accountShare: CallKind?
    var holdsConnectionPermit = false
    /// Empty answers before this run.
    let empties: Int
    /// How the user comes to the credential, if this run brings one.
    let path: CredentialPath

    init(job: ClaimedJob, leaseEnd: ContinuousClock.Instant, listed: [TelephonyCredential]) {
        self.job = job
        self.leaseEnd = leaseEnd
        self.listed = listed
        self.isFromDoubt = job.lease.state == .looking
        self.accountShare = job.lease.state == .armed ? .creates : nil
        self.empties = job.life.empties
        self.path =
            self.isFromDoubt ? .looked : job.life.attempts + job.life.failures > 0 ? .retried : .straight
    }
}
