// SPDX-License-Identifier: Apache-2.0
// A rate or a breaker holds for the whole account or for one tenant's connection.

/// The scope of a limit. A rate stands in the first two, a breaker in each.
package enum LimitScope: Sendable, Hashable {
    case account
    case connection(String)
    /// One tenant, whose own settings are at fault. Others may share its connection.
    case tenant(String)

    /// The row's primary key.
    var key: String {
        switch self {
        case .account: "account"
        case .connection(let id): "connection:\(id)"
        case .tenant(let id): "tenant:\(id)"
        }
    }

    /// Whether this is another tenant than that one, or another connection.
    func isAnother(_ other: LimitScope) -> Bool {
        switch (self, other) {
        case (.tenant(let one), .tenant(let two)), (.connection(let one), .connection(let two)): one != two
        case (.account, _), (.tenant, _), (.connection, _): false
        }
    }
}
