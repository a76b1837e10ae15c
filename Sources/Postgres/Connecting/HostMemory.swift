// SPDX-License-Identifier: Apache-2.0
// Remembers which of several hosts worked last, so that each new connection does not wait for a dead one first.

import Synchronization

/// What the connections of one configuration know of its hosts. All copies of the configuration share it.
final class HostMemory: Sendable {
    private struct Known {
        /// The address of the last connection that was made.
        var good: PostgresConfiguration.Target?
        /// An address that took a statement and stayed silent.
        var silent: PostgresConfiguration.Target?
    }

    private let known = Mutex(Known())

    /// The address that worked last, to be tried first, and a silent one, to be tried last.
    var order: (first: PostgresConfiguration.Target?, last: PostgresConfiguration.Target?) {
        self.known.withLock { known in
            (known.good.flatMap { $0.isSamePlace(as: known.silent) ? nil : $0 }, known.silent)
        }
    }

    /// A connection to this address was made.
    func works(_ target: PostgresConfiguration.Target) {
        self.known.withLock { known in
            known.good = target
            if target.isSamePlace(as: known.silent) { known.silent = nil }
        }
    }

    /// This address took a statement and did not answer in time, as behind a network that drops packets.
    func isSilent(_ target: PostgresConfiguration.Target) {
        self.known.withLock { $0.silent = target }
    }
}

extension PostgresConfiguration.Target {
    func isSamePlace(as other: Self?) -> Bool {
        guard let other else { return false }
        return self.host == other.host && self.address == other.address && self.port == other.port
    }
}
