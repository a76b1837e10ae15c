// SPDX-License-Identifier: Apache-2.0
// What the ledger is worth since its server last changed: whether it knows every create that was ever sent.

package struct LedgerTrust: Sendable, Equatable {
    /// The ledger may not know them all. Look before any create.
    package var looksFirst: Bool
    /// The data stands on another system than before. Nothing is deleted until an operator says what it is.
    package var isStopped: Bool

    package init(looksFirst: Bool, isStopped: Bool) {
        self.looksFirst = looksFirst
        self.isStopped = isStopped
    }

    package static let whole = LedgerTrust(looksFirst: false, isStopped: false)
}
