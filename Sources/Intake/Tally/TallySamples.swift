// SPDX-License-Identifier: Apache-2.0
// The samples that wait in memory for the database: one a minute of each source and outcome, and few in all.

import Foundation
import Model

/// The form of one request that was not stored.
struct TallySample: Sendable, Equatable {
    let at: Date
    let source: SourceID
    let outcome: TallyOutcome
    let reason: String
    let form: RequestForm
}

struct TallySamples: Sendable {
    /// Samples in memory at most, while the database is away.
    static let maximumWaiting = 256
    /// Samples that the table has of one source and outcome.
    static let maximumKept = 20

    private struct Place: Hashable {
        let source: SourceID
        let outcome: TallyOutcome
    }

    private var last: [Place: Int64] = [:]
    private(set) var waiting: [TallySample] = []

    /// Returns whether a sample may be taken in this minute (Unix seconds). The caller then adds one. A source that is
    /// counted by name has its own.
    mutating func isDue(_ source: SourceID, _ outcome: TallyOutcome, in minute: Int64) -> Bool {
        let place = Place(source: source, outcome: outcome)
        if self.last[place] == minute { return false }
        self.last[place] = minute
        return true
    }

    /// Adds a sample. The oldest makes room for it.
    mutating func add(_ sample: TallySample) {
        if self.waiting.count >= Self.maximumWaiting { self.waiting.removeFirst() }
        self.waiting.append(sample)
    }

    mutating func take(now: Date) -> [TallySample] {
        defer { self.waiting = [] }
        let minute = Int64(now.timeIntervalSince1970) - 60
        self.last = self.last.filter { $0.value >= minute }
        return self.waiting
    }

    /// Puts samples back that could not be written, before those that came meanwhile.
    mutating func putBack(_ samples: [TallySample]) {
        self.waiting = Array((samples + self.waiting).suffix(Self.maximumWaiting))
    }
}
