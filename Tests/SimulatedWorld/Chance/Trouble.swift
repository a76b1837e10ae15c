// SPDX-License-Identifier: Apache-2.0
// Which faults a simulated life has besides those of the provider: all by chance, or one at a chosen point.

package enum Trouble: Sendable {
    /// Every fault, by chance.
    case anything
    /// A worker is killed before the n-th occurrence. There is no other fault.
    case kill(occurrence: Int, slot: Int)
    /// The server crashes after its n-th commit, which stands. There is no other fault.
    case crash(commit: Int)
    /// The first claim is lost in a promotion, and all workers stand still until the ledger is trusted again. There is
    /// no other fault.
    case lostClaim
    case nothing

    var isByChance: Bool {
        switch self {
        case .anything: true
        case .kill, .crash, .lostClaim, .nothing: false
        }
    }
}
