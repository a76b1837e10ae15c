// SPDX-License-Identifier: Apache-2.0
// A line of those who wait for a permit, in which no tenant stands in front of another with all it wants.

/// A line with lanes. Each lane's first comes before any lane's second, so that one who asks a lot delays itself.
///
/// It is start-time fair queueing: a ticket's turn is one after its lane's last, and not before the present turn.
struct FairLine {
    /// A place in the line. It holds until it is served or leaves.
    struct Ticket: Comparable {
        fileprivate var turn: UInt64
        fileprivate var number: UInt64
        fileprivate var lane: String?

        static func < (lhs: Ticket, rhs: Ticket) -> Bool { (lhs.turn, lhs.number) < (rhs.turn, rhs.number) }
    }

    /// In the order in which they are served.
    private var tickets: [Ticket] = []
    /// The lanes with somebody in the line: how many, and the turn of the last.
    private var lanes: [String: (count: Int, lastTurn: UInt64)] = [:]
    private var presentTurn: UInt64 = 0
    private var nextNumber: UInt64 = 0

    var count: Int { self.tickets.count }

    /// Lines up behind the own lane's last. Nil: a lane of its own.
    mutating func join(_ lane: String?) -> Ticket {
        let own = lane.flatMap { self.lanes[$0] }
        let turn = max(self.presentTurn, own?.lastTurn ?? 0) + 1
        if let lane { self.lanes[lane] = ((own?.count ?? 0) + 1, turn) }
        self.nextNumber += 1
        let ticket = Ticket(turn: turn, number: self.nextNumber, lane: lane)
        self.tickets.insert(ticket, at: self.place(of: ticket))
        return ticket
    }

    /// Returns how many are served before it; nil when it is not in the line.
    func position(of ticket: Ticket) -> Int? {
        let place = self.place(of: ticket)
        return place < self.tickets.count && self.tickets[place] == ticket ? place : nil
    }

    mutating func serve(_ ticket: Ticket) {
        self.presentTurn = max(self.presentTurn, ticket.turn)
        self.leave(ticket)
    }

    mutating func leave(_ ticket: Ticket) {
        guard let position = self.position(of: ticket) else { return }
        self.tickets.remove(at: position)
        guard let lane = ticket.lane, let own = self.lanes[lane] else { return }
        if own.count > 1 {
            self.lanes[lane] = (own.count - 1, own.lastTurn)
        } else {
            self.lanes[lane] = nil
        }
    }

    /// Returns the first place that does not come before this ticket.
    private func place(of ticket: Ticket) -> Int {
        var (low, high) = (0, self.tickets.count)
        while low < high {
            let middle = (low + high) / 2
            if self.tickets[middle] < ticket { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
