// SPDX-License-Identifier: Apache-2.0
// What look-ups by id have found lately: hits and misses apart, so that invented ids push no known one out.

package import Foundation

/// Remembers rows by their ids, and ids without a row. Times are by the caller's clock.
package struct LookUpMemory<Found: Sendable>: Sendable {
    package struct Hit: Sendable {
        package let found: Found
        package let readAt: Date

        /// Seconds since it was read. A clock that was set back makes it older too.
        package func age(at now: Date) -> TimeInterval { abs(now.timeIntervalSince(self.readAt)) }
    }

    /// Seconds for which a hit is kept. Whether it still counts is for the caller to say.
    private let keepsHits: TimeInterval
    /// Seconds for which an id counts as having no row.
    private let keepsMisses: TimeInterval
    private let maximumMisses: Int
    private var hits: [String: Hit] = [:]
    private var misses: [String: Date] = [:]
    /// At more hits than this the old ones are dropped.
    private var room = 1000

    package init(keepsHits: TimeInterval, keepsMisses: TimeInterval, maximumMisses: Int = 10_000) {
        self.keepsHits = keepsHits
        self.keepsMisses = keepsMisses
        self.maximumMisses = maximumMisses
    }

    package func hit(_ id: String) -> Hit? { self.hits[id] }

    /// Whether the id was looked up a moment ago and has no row.
    package func isMiss(_ id: String, at now: Date) -> Bool {
        self.misses[id].map { abs(now.timeIntervalSince($0)) < self.keepsMisses } ?? false
    }

    /// Notes what the table has for this id; nil: nothing.
    package mutating func note(_ found: Found?, for id: String, at now: Date) {
        if let found {
            self.misses[id] = nil
            self.hits[id] = Hit(found: found, readAt: now)
            self.dropOldHits(now)
        } else {
            self.hits[id] = nil
            self.dropOldMisses(now)
            self.misses[id] = now
        }
    }

    package mutating func forget(_ id: String) {
        self.hits[id] = nil
        self.misses[id] = nil
    }

    /// There are never more hits than rows, so no young one is dropped.
    private mutating func dropOldHits(_ now: Date) {
        guard self.hits.count > self.room else { return }
        self.hits = self.hits.filter { $0.value.age(at: now) < self.keepsHits }
        // A look at each of them is worth it once there are twice as many.
        self.room = max(1000, self.hits.count * 2)
    }

    private mutating func dropOldMisses(_ now: Date) {
        guard self.misses.count >= self.maximumMisses else { return }
        self.misses = self.misses.filter { abs(now.timeIntervalSince($0.value)) < self.keepsMisses }
        if self.misses.count >= self.maximumMisses { self.misses = [:] }
    }
}
