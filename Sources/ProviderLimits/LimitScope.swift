// SPDX-License-Identifier: Apache-2.0
// A rate or a breaker holds for the whole account or one tenant's connection, and a pause for one kind of call.

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
