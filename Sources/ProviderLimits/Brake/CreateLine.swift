// SPDX-License-Identifier: Apache-2.0
// The creates of this node in the order in which they were sent, and what has become of them.

/// Whom a create is for.
package struct CreatePurpose: Sendable, Equatable {
    package var connection: String
    package var tenant: String
    package var user: String

    package init(connection: String, tenant: String, user: String) {
        self.connection = connection
        self.tenant = tenant
        self.user = user
    }
}

/// A line of creates, newest last. It tells when eight that were sent one after another have all had an unknown outcome.
///
/// The order is that of sending and not of return. A provider that fails one create in twenty, slowly, returns many
/// failures in a row; between them creates that worked were sent.
struct CreateLine: Sendable {
    /// So many unknown outcomes in a row say that the provider is in trouble.
    static let limit = 8

    private enum Outcome { case underWay, known, unknown }

    private struct Create {
        var number: Int
        var purpose: CreatePurpose
        var sentAt: ContinuousClock.Instant
        var outcome: Outcome
    }

    private var creates: [Create] = []
    private var next = 0

    /// Creates that were sent one after another and all have an unknown outcome.
    struct Run: Sendable {
        var purposes: [CreatePurpose]
        /// When the first of them was sent.
        var since: ContinuousClock.Instant
    }

    /// A create is sent now. Returns its number.
    mutating func sent(_ purpose: CreatePurpose, at now: ContinuousClock.Instant) -> Int {
        self.next += 1
        self.creates.append(Create(number: self.next, purpose: purpose, sentAt: now, outcome: .underWay))
        return self.next
    }

    /// The outcome of a create is there. Returns the run when eight in a row are unknown now; they leave the line then.
    mutating func returned(_ number: Int, isKnown: Bool) -> Run? {
        guard let index = self.creates.firstIndex(where: { $0.number == number }) else { return nil }
        self.creates[index].outcome = isKnown ? .known : .unknown
        defer { self.forgetEnds() }
        let places = self.unknown(around: index)
        guard !isKnown, places.count >= Self.limit else { return nil }
        let run = Run(purposes: self.creates[places].map(\.purpose), since: self.creates[places.lowerBound].sentAt)
        self.creates.removeSubrange(places)
        return run
    }

    /// Forgets all that have an outcome, when the node begins anew.
    mutating func forget() { self.creates.removeAll { $0.outcome != .underWay } }

    /// The unknown ones around this place, without one that is known or under way between them.
    private func unknown(around index: Int) -> Range<Int> {
        var (first, end) = (index, index + 1)
        while first > 0, self.creates[first - 1].outcome == .unknown { first -= 1 }
        while end < self.creates.count, self.creates[end].outcome == .unknown { end += 1 }
        return first..<end
    }

    /// Drops from the front what can be in no run any more: all before the last known one that has nothing under way
    /// before it.
    private mutating func forgetEnds() {
        let settled = self.creates.prefix { $0.outcome != .underWay }
        guard let last = settled.lastIndex(where: { $0.outcome == .known }) else { return }
        self.creates.removeSubrange(...last)
    }
}
