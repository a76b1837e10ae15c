// SPDX-License-Identifier: Apache-2.0
// What one run of the sweep has seen at the provider, compared with the ledger, and done about it.

/// The counts of one run. `dialtone sweep --json` prints it.
package struct SweepReport: Sendable, Encodable, Equatable {
    /// Tags listed. Those beyond a tenant's last known tag count too.
    package var tags = 0
    /// Credentials listed.
    package var listed = 0
    /// Listed credentials whose names are not this installation's.
    package var foreign = 0
    /// Listed credentials that bear our name and belong to no user of the ledger. Only an operator's word deletes them.
    package var strays = 0
    package var straysDeleted = 0
    /// The names of the strays, the first hundred.
    package var strayNames: [String] = []
    /// Second credentials, and those of closed generations, that were found. They are deleted soon, or in this run.
    package var surplus = 0
    /// Those of them that this run was the first to remember.
    package var remembered = 0
    package var surplusDeleted = 0
    /// Jobs that were told to look, because something under their name exists.
    package var evidence = 0
    /// Deletes that must be done again.
    package var reopened = 0
    /// Credentials that the provider has lost, seen once. A second look decides.
    package var missing = 0
    /// Credentials that are gone for good, or expired. Their users get the next generation.
    package var reprovisioned = 0
    /// Credentials that were not found while no other was found either. The key may be of another organisation, so
    /// nothing is concluded.
    package var unproven = 0
    /// Active credentials of the ledger that should be listed.
    package var expected = 0
    /// Expected credentials that were listed. A run that saw none of some proves nothing.
    package var seen = 0
    /// Users who waited for something and had no job; they have one now.
    package var enqueued = 0
    /// Tags where more would have changed than one run may change. Nothing was taken away there.
    package var stopped: [String] = []
    /// Lists that failed. What they would have shown is not known.
    package var failedLists = 0
    /// Why the last list failed.
    @OrNull package var failure: String? = nil
    /// Whether every tag was seen, with a key of the account that the ledger belongs to.
    package var isFull = false
    /// False when nothing that the ledger has was found: the key may be of another organisation.
    package var isPlausible = true
    package var isDryRun = false

    package init() {}

    /// `isPlausible` is not printed: it decides the command's exit code.
    enum CodingKeys: String, CodingKey {
        case tags, listed, foreign, strays, surplus, evidence, reopened, missing, reprovisioned, enqueued, stopped
        case unproven, expected, seen, failure
        case straysDeleted = "strays_deleted"
        case strayNames = "stray_names"
        case surplusDeleted = "surplus_deleted"
        case failedLists = "failed_lists"
        case isFull = "full"
        case isDryRun = "dry_run"
    }
}
