// SPDX-License-Identifier: Apache-2.0
// A checker's view of the account: its counts, its credentials, its faults and its clock.

import Foundation
import Synchronization

/// How often a name was created and deleted.
struct NameCount: Sendable, Equatable {
    var creates = 0
    var deletes = 0
}

/// The numbers that a checker may ask for.
struct AccountCounts: Sendable {
    var names: [String: NameCount]
    var live: Int
    /// Creates that have not landed yet, and credentials that lists do not show yet.
    var unsettled: Int
    /// Requests since the start, whatever their responses.
    var requests: [Fault.Operation: Int]
}

extension Account {
    /// Returns what goes wrong with this call, and uses up one time of the rules that say so.
    func fault(for operation: Fault.Operation, name: String?, connection: String?) -> Misfortune {
        self.state.withLock { state in
            state.faults.next(for: operation, name: name, connection: connection) { Double.random(in: 0..<1) }
        }
    }

    /// Counts a request.
    func heard(_ operation: Fault.Operation) { self.state.withLock { $0.requests[operation, default: 0] += 1 } }

    /// Sets the limit on all calls; nil for none.
    func limit(_ limit: CallLimit?) { self.state.withLock { $0.limit = limit } }

    /// Spends one call of the limit; nil without one.
    func spendCall() -> CallLimit.Spent? {
        self.state.withLock { state in
            let now = Self.now(state)
            return state.limit?.spend(at: now)
        }
    }

    var faults: [Fault] {
        get { self.state.withLock { $0.faults.rules } }
        set { self.state.withLock { $0.faults.rules = newValue } }
    }

    func advanceClock(by seconds: TimeInterval) { self.state.withLock { $0.clockOffset += seconds } }

    /// Returns the counts of one name, or of all names when `name` is nil.
    func counts(name: String?) -> AccountCounts {
        self.state.withLock { state in
            AccountCounts(
                names: name.map { [$0: state.store.counts[$0] ?? NameCount()] } ?? state.store.counts,
                live: state.store.liveCount, unsettled: state.late + state.store.unlisted(Self.now(state)),
                requests: state.requests)
        }
    }

    /// Returns every credential, also those that lists do not show yet.
    func all() -> [SimulatedCredential] {
        self.state.withLock { $0.store.list(ListFilter(), now: .distantFuture) }
    }
}
