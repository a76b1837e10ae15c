// SPDX-License-Identifier: Apache-2.0
// Counts what happens in each tenant, minute by minute, in memory and without reading anything.
//
// Whoever does the work counts it here, after its commit. `TenantMinutes` writes the counts every ten seconds, so the
// way of a sign-up never waits for them.

package import Foundation
package import Model
import Synchronization

/// The counts of one process. It is bounded: what finds no place is left out, and the log says how much.
package final class TenantCounts: Sendable {
    /// One tenant in one minute.
    struct Key: Hashable, Sendable {
        /// Unix seconds at which it begins.
        let minute: Int64
        let tenant: TenantID
    }

    struct Taken: Sendable {
        var rows: [Key: TenantCount] = [:]
        /// How much was left out.
        var leftOut = 0
    }

    /// Tenants of one minute, or minutes of one tenant, that memory has at most.
    package static let maximumRows = 10_000

    private let maximum: Int
    private let now: @Sendable () -> Date
    private let state = Mutex(Taken())

    package init(maximum: Int = TenantCounts.maximumRows, now: @escaping @Sendable () -> Date = { Date() }) {
        self.maximum = maximum
        self.now = now
    }

    /// Counts one thing, or the same thing several times.
    package func add(_ event: TenantEvent, of tenant: TenantID, times: Int = 1) {
        guard times > 0 else { return }
        let key = Key(minute: self.minute, tenant: tenant)
        self.state.withLock { $0.add(TenantCount(event, times: times), at: key, maximum: self.maximum) }
    }

    /// Counts what one commit has brought, under one lock.
    package func add(_ events: [(tenant: TenantID, event: TenantEvent)]) {
        guard !events.isEmpty else { return }
        let minute = self.minute
        self.state.withLock { state in
            for (tenant, event) in events {
                state.add(TenantCount(event), at: Key(minute: minute, tenant: tenant), maximum: self.maximum)
            }
        }
    }

    private var minute: Int64 {
        let time = Int64(self.now().timeIntervalSince1970.rounded(.down))
        return time - time % 60
    }

    // MARK: To the database and back

    /// How many rows wait in memory.
    var waiting: Int { self.state.withLock(\.rows.count) }

    func take() -> Taken {
        self.state.withLock { state in
            defer { state = Taken() }
            return state
        }
    }

    /// Puts rows back that could not be written, as far as there is room.
    func putBack(_ rows: [(key: Key, count: TenantCount)]) {
        self.state.withLock { state in
            for (key, count) in rows { state.add(count, at: key, maximum: self.maximum) }
        }
    }
}

extension TenantCounts.Taken {
    fileprivate mutating func add(_ count: TenantCount, at key: TenantCounts.Key, maximum: Int) {
        guard self.rows[key] != nil || self.rows.count < maximum else {
            self.leftOut += 1
            return
        }
        self.rows[key, default: TenantCount()].add(count)
    }
}

extension TenantCount {
    fileprivate init(_ event: TenantEvent, times: Int = 1) {
        self.init()
        self.add(event, times: Int32(clamping: times))
    }
}
