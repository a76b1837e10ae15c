// SPDX-License-Identifier: Apache-2.0
// The account's rate has two parts, so that creates after a look never wait behind the queue for good.

/// The part of the account's rate that a create comes out of: the queue's, or recovery's.
package enum Share: Sendable {
    case queue, recovery

    /// Returns the part, from 0 to 1. Only the account's rate is shared.
    func part(of scope: String) -> Double {
        guard scope == LimitScope.account.key else { return 1 }
        return switch self {
        case .queue: 0.8
        case .recovery: 0.2
        }
    }
}
