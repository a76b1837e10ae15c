// SPDX-License-Identifier: Apache-2.0
// How a sweep is to be run, and what it has seen and done.

/// One run over all tenants, or one of them.
package struct SweepOptions: Sendable {
    /// Only this tenant's tags; such a run is not full.
    package var tenant: TenantID?
    /// Look and count; change nothing.
    package var isDryRun = false
    /// Delete what bears this installation's name for nobody the ledger knows: an operator's explicit word.
    package var deletesStrays = false
    /// Go on where more would change than one run may by itself.
    package var isConfirmed = false
    /// What is missing is gone, although nothing is there to prove that this is the right account.
    package var believesAbsence = false
    /// To its end: what is missing is looked at a second time after its time, and surplus is deleted.
    package var isThorough = true
    /// Between two calls, so that the provider's budget is left to others.
    package var pace: Duration = .zero

    package init() {}
}

/// One run of the sweep.
package struct SweepReport: Sendable, Encodable, Equatable {
    /// Tags listed, those beyond the last known one included.
    package var tags = 0
    /// Credentials listed.
    package var listed = 0
    /// … that bear other names than this installation's.
    package var foreign = 0
    /// … that bear our name for nobody the ledger knows. Deleted only by an operator's word.
    package var strays = 0
    package var straysDeleted = 0
    /// … and their names, the first hundred.
    package var strayNames: [String] = []
    /// Second credentials, and those of closed generations, that were found; deleted soon, or in this run.
    package var surplus = 0
    package var surplusDeleted = 0
    /// Jobs that were told to look, because something under their name exists.
    package var evidence = 0
    /// Deletes that must be done again.
    package var reopened = 0
    /// Credentials the provider no longer has, seen once; a second look decides.
    package var missing = 0
    /// … gone for good, or expired: their users get the next generation.
    package var reprovisioned = 0
    /// … that answer 404 while no other answers: the key may be of another organisation, so nothing is concluded.
    package var unproven = 0
    /// Active credentials of the ledger, and how many of them were seen. None of some: the run proves nothing.
    package var expected = 0
    package var seen = 0
    /// Users who wait for something and had no job, and users who had failed and are tried again.
    package var enqueued = 0
    package var revived = 0
    /// Tags where more would have been changed than one run may; nothing was.
    package var stopped: [String] = []
    /// Lists that failed; what they would have shown is not known.
    package var failedLists = 0
    /// Why the last of them did.
    package var failure: String?
    /// Whether every tag was seen, with the key of the account that is the ledger's.
    package var isFull = false
    /// False when nothing at all of what the ledger has is there: the key may be of another organisation.
    package var isPlausible = true
    package var isDryRun = false

    package init() {}

    enum CodingKeys: String, CodingKey {
        case tags, listed, foreign, strays, surplus, evidence, reopened, missing, reprovisioned, enqueued, stopped
        case unproven, expected, seen, revived, failure
        case straysDeleted = "strays_deleted"
        case strayNames = "stray_names"
        case surplusDeleted = "surplus_deleted"
        case failedLists = "failed_lists"
        case isFull = "full"
        case isDryRun = "dry_run"
    }
}
