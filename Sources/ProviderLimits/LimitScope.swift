// SPDX-License-Identifier: Apache-2.0
// A rate or a breaker holds for the whole account or one tenant's connection, and a pause for one kind of call.

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

/// The kind of a call to the provider. A 429 pauses calls of its own kind, because the provider may still take others.
package enum CallKind: String, Sendable, CaseIterable {
    /// Login tokens.
    case tokens
    /// The calls of jobs: creates, looks and deletes.
    case creates
    /// The calls of the sweep.
    case sweep

    /// The primary key of the row with the kind's pause.
    var key: String { "kind:\(self.rawValue)" }

    /// The kinds whose pause stops this kind. What stops the jobs stops the sweep too: it can wait, and they cannot.
    var stoppedBy: [CallKind] {
        switch self {
        case .tokens: [.tokens]
        case .creates: [.creates]
        case .sweep: [.sweep, .creates]
        }
    }
}
