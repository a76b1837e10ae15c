// SPDX-License-Identifier: Apache-2.0
// How many calls one visit may still make, and why a visit stops before its end.

/// The calls of one visit. A tag with much to ask about is visited again, and others come in between.
struct VisitCalls: Sendable {
    /// For one visit of a worker: four pages twice, the next shard, and some questions by id.
    static let most = 16

    private(set) var left: Int

    /// An operator's visit has no limit.
    init(isAsked: Bool) { self.left = isAsked ? .max : Self.most }

    mutating func spend() throws(VisitStop) {
        guard self.left > 0 else { throw .outOfCalls }
        self.left -= 1
    }
}

enum VisitStop: Error {
    case outOfCalls
    /// Calls of the sweep are held back.
    case heldBack
}
