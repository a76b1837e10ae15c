// SPDX-License-Identifier: Apache-2.0
// One visit of one tag by one worker: what it has read of the ledger, and what the provider has shown.

/// A visit takes some seconds. It calls the provider, reads the ledger a moment later, and carries out its corrections
/// after another moment. A worker that is killed takes its visits with it.
struct Visit {
    var shard: Int
    var slot: Int
    var boot: Int
    var server: Int
    /// The era in which it begins, and when.
    var era: Int
    var began: Int
    var isWanted: Bool
    /// Whether it lists. Otherwise it counts.
    var isListing = false
    var page = Page()
    /// Whether the list has shown as many as the total says, or the same ones twice.
    var isWhole = false
    /// Whether the filter has shown what it should not.
    var isInexact = false
    /// Whether the shard after the highest holds something.
    var hasNext = false
    var corrections: [Correction] = []
    /// Whether a correction was given up.
    var isCutOff = false
    /// Whether the next list must tell what became of a correction. A word may have come since it was decided.
    var isUnfinished: Bool {
        self.isCutOff
            || self.corrections.contains { correction in
                switch correction {
                case .catchUp, .overtaken: true
                default: false
                }
            }
    }
}

/// What a list of the provider has shown, and the total that it names, if any.
struct Page {
    var shown: [ProviderCredential] = []
    var total: Int?
}
