// SPDX-License-Identifier: Apache-2.0
// How many requests of one owner may use a pool or wait for it: whoever asks much waits behind himself, not others.

import Synchronization

/// The owner of a request, as far as the request has shown it.
package enum PoolShare: Hashable, Sendable {
    case tenant(String)
    /// An API key, by its id. It leaves room for its tenant's other keys.
    case key(String)
    /// Nobody that is known: an id of a key or a hook that is looked up for the first time.
    case unknown

    /// Requests under way at most.
    package var maximum: Int {
        switch self {
        case .tenant: 64
        case .key: 48
        case .unknown: 64
        }
    }
}

/// The requests that use one pool or wait for it, by their owners. It is this node's own count.
package final class PoolShares: Sendable {
    /// An owner has as many requests under way as it may have. Nothing was asked of the database.
    package struct TooMany: Error, Equatable {
        package init() {}
    }

    private let underWay = Mutex<[PoolShare: Int]>([:])

    package init() {}

    /// Runs `work` as one request of each of these owners. Throws `TooMany` at once when one of them has its full
    /// number, and the errors of `work`.
    /// Cancelled here: as in `work`; the places are given back when it returns.
    package func hold<Value>(_ owners: [PoolShare], _ work: () async throws -> Value) async throws -> Value {
        guard self.take(owners) else { throw TooMany() }
        defer { self.giveBack(owners) }
        return try await work()
    }

    /// Takes a place of each owner, or of none.
    private func take(_ owners: [PoolShare]) -> Bool {
        self.underWay.withLock { underWay in
            guard owners.allSatisfy({ underWay[$0, default: 0] < $0.maximum }) else { return false }
            for owner in owners { underWay[owner, default: 0] += 1 }
            return true
        }
    }

    private func giveBack(_ owners: [PoolShare]) {
        self.underWay.withLock { underWay in
            for owner in owners {
                let left = underWay[owner, default: 0] - 1
                underWay[owner] = left > 0 ? left : nil
            }
        }
    }
}
