// SPDX-License-Identifier: Apache-2.0
// The kinds of calls to the provider, from the most urgent to the one that can wait longest.

/// The kind of a call to the provider. All kinds share one budget, and each is paused by a 429 of its own.
package enum CallKind: String, Sendable, CaseIterable {
    /// Login tokens: somebody waits for them.
    case tokens
    /// Creates out of the queue.
    case creates
    /// Looks by name, by tag and by id, and the creates that a look has permitted.
    case looks
    /// Deletes of what a revoke has closed, and of surplus.
    case deletes
    /// The calls of the sweep.
    case sweep

    /// Its place in the arrays of `take_calls`, counted from 0.
    var place: Int {
        switch self {
        case .tokens: 0
        case .creates: 1
        case .looks: 2
        case .deletes: 3
        case .sweep: 4
        }
    }

    /// The primary key of the row with the kind's pause. Creates, looks and deletes have one.
    var pauseKey: String {
        switch self {
        case .tokens: "kind:tokens"
        case .creates, .looks, .deletes: "kind:jobs"
        case .sweep: "kind:sweep"
        }
    }

    /// The rows whose pause stops this kind. What stops the jobs stops the sweep too: it can wait, and they cannot.
    var stoppedBy: [String] { self == .sweep ? ["kind:sweep", "kind:jobs"] : [self.pauseKey] }

    /// The row with the rate that the provider's headers tell. It may count reads apart from what changes something.
    var learnedKey: String {
        switch self {
        case .tokens: "kind:tokens"
        case .creates, .deletes: "kind:jobs"
        case .looks, .sweep: "kind:sweep"
        }
    }

    /// The longest time that a call waits for its permit. Then its caller is told to come again.
    var patience: Duration {
        switch self {
        case .tokens: .seconds(3)
        // A job holds a lease meanwhile.
        case .creates, .looks, .deletes: .seconds(5)
        case .sweep: .seconds(30)
        }
    }
}
