// SPDX-License-Identifier: Apache-2.0
// A rate or a breaker holds for the whole account or for one tenant's connection.

/// The scope of a limit.
package enum LimitScope: Sendable, Hashable {
    case account
    case connection(String)

    /// The row's primary key.
    var key: String {
        switch self {
        case .account: "account"
        case .connection(let id): "connection:\(id)"
        }
    }
}
