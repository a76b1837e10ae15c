// SPDX-License-Identifier: Apache-2.0
// The waiting deliveries of one source, and the turns in which sources are served.

/// What waits of one source. The deliveries themselves stand in the line, by slot.
struct Lane: Sendable {
    /// Events of all its deliveries.
    var events = 0
    /// Deliveries that the next batch may take.
    var ready = ArrivalQueue()
    /// By the sender's id of a delivery.
    var deliveries: [String: Chain] = [:]
}

/// Slots in the order of arrival: a binary heap.
///
/// As a rule slots come in order, and then an insert moves nothing. Only a delivery that stood in a chain comes late.
struct ArrivalQueue: Sendable {
    private struct Place {
        var arrival: Int
        var slot: Int
    }

    private var heap: [Place] = []

    var isEmpty: Bool { self.heap.isEmpty }
    /// The slot that came first.
    var first: Int? { self.heap.first?.slot }

    mutating func insert(_ slot: Int, arrival: Int) {
        self.heap.append(Place(arrival: arrival, slot: slot))
        var child = self.heap.count - 1
        while child > 0, self.heap[child].arrival < self.heap[(child - 1) / 2].arrival {
            self.heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func removeFirst() {
        self.heap.swapAt(0, self.heap.count - 1)
        self.heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in 2 * parent + 1...2 * parent + 2
            where child < self.heap.count && self.heap[child].arrival < self.heap[least].arrival {
                least = child
            }
            guard least != parent else { return }
            self.heap.swapAt(parent, least)
            parent = least
        }
    }
}

/// The lanes that have something ready, in the order of their turns. Each step takes constant time on average.
struct Turns: Sendable {
    private var lanes: [Int] = []
    /// How many at the front have had their turn.
    private var past = 0

    /// The lane whose turn it is.
    var first: Int? { self.past < self.lanes.count ? self.lanes[self.past] : nil }

    mutating func append(_ lane: Int) { self.lanes.append(lane) }

    mutating func removeFirst() {
        self.past += 1
        guard self.past > 256, self.past * 2 > self.lanes.count else { return }
        self.lanes.removeFirst(self.past)
        self.past = 0
    }
}
