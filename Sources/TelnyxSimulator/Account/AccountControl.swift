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
    var traffic: Traffic
}

/// Credentials that a checker wants the account to have, without a call for each.
struct AccountSeed: Decodable, Sendable {
    struct Tag: Decodable, Sendable {
        var tag: String
        var credentials: Int
    }

    var connection_id: String
    var name_prefix: String
    var tags: [Tag]
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
                requests: state.requests, traffic: state.traffic)
        }
    }

    /// Counts the body of a response.
    func answered(_ bytes: Int) { self.state.withLock { $0.traffic.bytes += bytes } }

    /// Adds credentials, numbered from 1 in the order of the tags. An id ends in 12 digits of the number, a name in 52.
    /// Their sizes are those of real ones. They are in memory only, and no count has their creates.
    func seed(_ seed: AccountSeed) {
        func padded(_ number: Int, _ digits: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, digits - text.count)) + text
        }
        self.state.withLock { state in
            let now = Self.now(state)
            var number = 0
            for tag in seed.tags {
                for _ in 0..<max(0, tag.credentials) {
                    number += 1
                    let credential = SimulatedCredential(
                        id: "00000000-0000-4000-8000-\(padded(number, 12))", connectionID: seed.connection_id,
                        name: seed.name_prefix + padded(number, 52), tag: tag.tag,
                        sipUsername: "gencred\(padded(number, 42))", sipPassword: padded(number, 32), createdAt: now,
                        updatedAt: now, expiresAt: now.addingTimeInterval(22 * 365 * 86_400))
                    state.store.apply(.put(credential, isNew: false))
                }
            }
        }
    }

    /// Returns every credential, also those that lists do not show yet.
    func all() -> [SimulatedCredential] {
        self.state.withLock { $0.store.list(ListFilter(), now: .distantFuture) }
    }
}
