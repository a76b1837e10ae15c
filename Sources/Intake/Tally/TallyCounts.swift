// SPDX-License-Identifier: Apache-2.0
// The counts that wait in memory for the database, bounded whatever is counted.

import Foundation
import Model

/// A count is of one source, in one minute, with one outcome and one reason. What is beyond a bound counts under
/// "others", so that no sum is ever wrong.
struct TallyCounts: Sendable {
    /// A row of the table `tally`.
    struct Key: Hashable, Sendable {
        /// 1, or 60 for an hour.
        var minutes: Int32 = 1
        /// Unix seconds at which the minute or the hour begins.
        var bucket: Int64
        var source: SourceID
        let outcome: TallyOutcome
        var reason: String
    }

    struct Count: Sendable, Equatable {
        var count: Int64
        var lastAt: Date
        /// The newest difference between the clocks.
        var skewMilliseconds: Int64?

        mutating func add(_ other: Count) {
            self.count += other.count
            if other.lastAt >= self.lastAt || self.skewMilliseconds == nil {
                self.skewMilliseconds = other.skewMilliseconds ?? self.skewMilliseconds
            }
            self.lastAt = max(self.lastAt, other.lastAt)
        }
    }

    /// Sources that one minute has by name.
    static let maximumSources = 64
    /// Types that one source has in one minute by name, of what was ignored. Other reasons are closed sets.
    static let maximumTypes = 32
    /// Counts in memory. Beyond this a minute has one more for each outcome.
    static let maximumCounts = 4096
    /// The reason and the source of what is beyond a bound.
    static let others = "others"

    private struct Place: Hashable {
        let bucket: Int64
        let source: SourceID
    }

    private(set) var all: [Key: Count] = [:]
    private var sources: [Int64: Set<SourceID>] = [:]
    private var types: [Place: Set<String>] = [:]

    /// Adds to a count. Returns the source under which it was counted.
    @discardableResult
    mutating func add(_ count: Count, at key: Key) -> SourceID {
        var key = key
        if self.all[key] == nil { self.fold(&key) }
        self.all[key, default: Count(count: 0, lastAt: count.lastAt)].add(count)
        return key.source
    }

    /// Gives a count that is not there yet a place within the bounds.
    private mutating func fold(_ key: inout Key) {
        key.source = self.named(key)
        if key.outcome == .ignored { key.reason = self.type(key) }
        guard self.all[key] == nil, self.all.count >= Self.maximumCounts else { return }
        key.source = .others
        key.reason = Self.others
    }

    private mutating func named(_ key: Key) -> SourceID {
        if key.source == .unknownHooks || key.source == .others { return key.source }
        let named = self.sources[key.bucket] ?? []
        if named.contains(key.source) { return key.source }
        guard named.count < Self.maximumSources else { return .others }
        self.sources[key.bucket, default: []].insert(key.source)
        return key.source
    }

    private mutating func type(_ key: Key) -> String {
        // Types of many sources together would have no bound.
        guard key.source != .others else { return Self.others }
        let place = Place(bucket: key.bucket, source: key.source)
        let known = self.types[place] ?? []
        if known.contains(key.reason) || key.reason == Self.others { return key.reason }
        guard known.count < Self.maximumTypes else { return Self.others }
        self.types[place, default: []].insert(key.reason)
        return key.reason
    }

    // MARK: To the database and back

    /// Takes all counts out. The bounds of the last minutes hold on, because a minute is written in several parts.
    mutating func take(now: Date) -> [Key: Count] {
        defer { self.all = [:] }
        let oldest = Int64(now.timeIntervalSince1970) - 300
        self.sources = self.sources.filter { $0.key >= oldest }
        self.types = self.types.filter { $0.key.bucket >= oldest }
        return self.all
    }

    /// Puts counts back that could not be written. What is older than two hours counts by the hour, and what is older
    /// than 14 days is dropped, as in the table.
    mutating func putBack(_ counts: [Key: Count], now: Date) {
        let time = Int64(now.timeIntervalSince1970)
        for (key, count) in counts where key.bucket >= time - 14 * 86_400 {
            var key = key
            if key.minutes == 1 && key.bucket < time - 7200 {
                key.minutes = 60
                key.bucket -= key.bucket % 3600
            }
            self.add(count, at: key)
        }
    }
}
