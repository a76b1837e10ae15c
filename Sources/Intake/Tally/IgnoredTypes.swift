// SPDX-License-Identifier: Apache-2.0
// The types that the table has of each source already, so that a sender who makes up types gets no row for each.

import Foundation
import Model
import Postgres

/// A source has so many types in the table, whatever it sends in two weeks. Further ones count as "others". Each node
/// knows the table as it was up to an hour ago, so a few nodes may add a few types more.
struct IgnoredTypes: Sendable {
    private static let maximumAge: TimeInterval = 3600
    /// With more sources than this all are forgotten.
    private static let maximumSources = 1024

    private var known: [SourceID: Set<String>] = [:]
    private var readAt = Date.distantPast

    /// Returns the sources whose types must be read first, and forgets what is old.
    mutating func unknown(in counts: [TallyCounts.Key: TallyCounts.Count], now: Date) -> [SourceID] {
        if now.timeIntervalSince(self.readAt) > Self.maximumAge || self.known.count > Self.maximumSources {
            self.known = [:]
            self.readAt = now
        }
        let sources = Set(counts.keys.lazy.filter { $0.outcome == .ignored }.map(\.source))
        return sources.filter { self.known[$0] == nil }.sorted()
    }

    /// Notes what the table has of these sources.
    mutating func note(_ types: [(SourceID, String)], of sources: [SourceID]) {
        for source in sources { self.known[source] = [] }
        for (source, type) in types where type != TallyCounts.others { self.known[source]?.insert(type) }
    }

    /// Returns the same counts, in which types beyond the bound are one. The more frequent ones keep their names.
    mutating func folded(_ counts: [TallyCounts.Key: TallyCounts.Count]) -> [TallyCounts.Key: TallyCounts.Count] {
        var folded: [TallyCounts.Key: TallyCounts.Count] = [:]
        for (key, count) in counts.sorted(by: { ($1.value.count, $0.key.reason) < ($0.value.count, $1.key.reason) }) {
            var key = key
            if key.outcome == .ignored && !self.takes(key.reason, of: key.source) { key.reason = TallyCounts.others }
            folded[key, default: .init(count: 0, lastAt: count.lastAt)].add(count)
        }
        return folded
    }

    private mutating func takes(_ type: String, of source: SourceID) -> Bool {
        let known = self.known[source] ?? []
        if type == TallyCounts.others || known.contains(type) { return true }
        guard known.count < TallyCounts.maximumTypes else { return false }
        self.known[source, default: []].insert(type)
        return true
    }
}
