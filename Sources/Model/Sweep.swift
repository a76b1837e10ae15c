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
    /// … that bear our name for nobody the ledger knows. Reported, never deleted.
    package var strays = 0
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
    /// Users who wait for something and had no job.
    package var enqueued = 0
    /// Tags where more would have been changed than one run may; nothing was.
    package var stopped: [String] = []
    /// Lists that failed; what they would have shown is not known.
    package var failedLists = 0
    /// Whether every tag was seen.
    package var isFull = false
    package var isDryRun = false

    package init() {}

    enum CodingKeys: String, CodingKey {
        case tags, listed, foreign, strays, surplus, evidence, reopened, missing, reprovisioned, enqueued, stopped
        case surplusDeleted = "surplus_deleted"
        case failedLists = "failed_lists"
        case isFull = "full"
        case isDryRun = "dry_run"
    }
}
