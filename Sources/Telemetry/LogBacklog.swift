// SPDX-License-Identifier: Apache-2.0
// The log lines that wait to be written: how many are kept, which are dropped, and which are summed.

import Foundation
import Logging

/// The rules of the queue, without its thread.
struct LogBacklog {
    struct Entry: Sendable {
        let record: LogRecord
        let format: LogFormat
    }

    /// Problems of one kind that requests meet within one second.
    private struct Sum {
        let first: Entry
        var until: ContinuousClock.Instant
        var times = 0
    }

    private static let maximumSums = 1000

    /// In bytes. Lines below `warning` may use half of it, so that a flood of them leaves room for errors.
    private let capacity: Int
    private var entries: [Entry] = []
    private var size = 0
    private var dropped = 0
    private var sums: [String: Sum] = [:]

    init(capacity: Int) { self.capacity = capacity }

    /// Keeps the line, counts it to a sum, or drops it. Returns whether there is something to write.
    mutating func add(_ record: LogRecord, as format: LogFormat, now: ContinuousClock.Instant) -> Bool {
        let entry = Entry(record: record, format: format)
        if let kind = record.kindOfProblem {
            if self.sums[kind] != nil {
                self.sums[kind]?.times += 1
                return false
            }
            // Codes and sources are few. The limit is for a code that somebody makes up for each request.
            if self.sums.count < Self.maximumSums { self.sums[kind] = Sum(first: entry, until: now + .seconds(1)) }
        }
        self.append(entry)
        return !self.entries.isEmpty
    }

    /// Counts lines that were taken and could not be written.
    mutating func lose(_ count: Int) { self.dropped += count }

    /// Takes all lines that can be written now, with the sums that are due. A last line tells how many were dropped.
    mutating func take(now: ContinuousClock.Instant) -> [Entry] {
        for (kind, sum) in self.sums where sum.until <= now { self.end(sum, of: kind, now: now) }
        guard let last = self.entries.last else { return [] }
        var taken = self.entries
        if self.dropped > 0 {
            let record = LogRecord(
                time: Date(), level: .warning, label: last.record.label, message: "log lines were dropped",
                facts: [(name: "lines", value: "\(self.dropped)")])
            taken.append(Entry(record: record, format: last.format))
        }
        self.entries = []
        self.size = 0
        self.dropped = 0
        return taken
    }

    /// When the next sum is due; nil when nothing is summed.
    var nextSum: ContinuousClock.Instant? { self.sums.values.map(\.until).min() }

    /// Makes every sum due, because the process ends.
    mutating func endSums(now: ContinuousClock.Instant) {
        for kind in self.sums.keys { self.sums[kind]?.until = now }
    }

    private mutating func end(_ sum: Sum, of kind: String, now: ContinuousClock.Instant) {
        guard sum.times > 0 else {
            self.sums[kind] = nil
            return
        }
        self.append(Entry(record: sum.first.record.summing(sum.times, at: Date()), format: sum.first.format))
        self.sums[kind] = Sum(first: sum.first, until: now + .seconds(1))
    }

    private mutating func append(_ entry: Entry) {
        let room = entry.record.level >= .warning ? self.capacity : self.capacity / 2
        let size = entry.record.size
        guard self.size + size <= room else {
            self.dropped += 1
            return
        }
        self.entries.append(entry)
        self.size += size
    }
}
