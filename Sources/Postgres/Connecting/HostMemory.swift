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

    /// Returns the targets of each pass in a better order: the address that worked last first, a silent one last.
    func ordered(_ targets: [PostgresConfiguration.Target]) -> [PostgresConfiguration.Target] {
        let (good, silent) = self.known.withLock { ($0.good, $0.silent) }
        var passes: [String] = []
        for target in targets where !passes.contains(target.session) { passes.append(target.session) }
        return passes.flatMap { pass in
            let all = targets.filter { $0.session == pass }
            let first = all.filter { $0.isSamePlace(as: good) && !$0.isSamePlace(as: silent) }
            let last = all.filter { $0.isSamePlace(as: silent) }
            return first + all.filter { !first.contains($0) && !last.contains($0) } + last
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
    fileprivate func isSamePlace(as other: Self?) -> Bool {
        guard let other else { return false }
        return self.host == other.host && self.address == other.address && self.port == other.port
    }
}
