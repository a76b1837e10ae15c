// SPDX-License-Identifier: Apache-2.0
// The deliveries that wait for a commit, and the rule that says which of them the next commit takes.

import Model

/// Told once what became of a delivery.
typealias WriteCompletion = @Sendable (Result<Receipt, IntakeError>) -> Void

/// A line in order of arrival, bounded in all and for each source. It knows no database.
struct WaitingLine: Sendable {
    struct Limits: Sendable {
        /// Events in one batch at most, unless its first delivery alone has more.
        var batch: Int
        /// The line takes no delivery while this many events wait.
        var waiting: Int
        /// A source can add no delivery while this many of its events wait, so that it leaves room for the others.
        var waitingOfSource: Int
        /// Waiting deliveries that one batch is chosen from.
        var scan: Int
    }

    struct Entry: Sendable {
        let delivery: NewDelivery
        let completion: WriteCompletion
    }

    private let limits: Limits
    private var entries: [Entry] = []
    private var count = 0
    private var countOfSource: [SourceID: Int] = [:]
    private var isClosed = false

    init(limits: Limits) { self.limits = limits }

    /// Appends a delivery. Returns false when there is no room for it or the line is closed.
    mutating func add(_ delivery: NewDelivery, completion: @escaping WriteCompletion) -> Bool {
        guard !self.isClosed, self.count < self.limits.waiting,
            self.countOfSource[delivery.source, default: 0] < self.limits.waitingOfSource
        else { return false }
        self.entries.append(Entry(delivery: delivery, completion: completion))
        self.count += delivery.events.count
        self.countOfSource[delivery.source, default: 0] += delivery.events.count
        return true
    }

    /// Takes the next deliveries in order. Returns none when none waits.
    ///
    /// A batch holds at most one delivery for each user, because the second must see what the first did. It holds each
    /// delivery id of a source once. A delivery that must wait keeps its place before later ones of the same user.
    mutating func takeBatch() -> [Entry] {
        var batch: [Entry] = []
        var later: [Entry] = []
        var events = 0
        var users: Set<UserKey> = []
        var deliveries: Set<String> = []
        for entry in self.entries.prefix(self.limits.scan) {
            let delivery = entry.delivery
            let isNew = deliveries.insert(delivery.key).inserted
            let isAlone = users.isDisjoint(with: delivery.users)
            users.formUnion(delivery.users)
            let fits = batch.isEmpty || events + delivery.events.count <= self.limits.batch
            if fits && isNew && isAlone {
                batch.append(entry)
                events += delivery.events.count
                self.countOfSource[delivery.source, default: 0] -= delivery.events.count
            } else {
                later.append(entry)
                if events >= self.limits.batch { break }
            }
        }
        self.entries = later + self.entries.dropFirst(batch.count + later.count)
        self.count -= events
        if self.entries.isEmpty { self.countOfSource = [:] }
        return batch
    }

    /// Closes the line for good. Returns the deliveries that still wait.
    mutating func close() -> [Entry] {
        self.isClosed = true
        defer { self.entries = [] }
        return self.entries
    }
}
