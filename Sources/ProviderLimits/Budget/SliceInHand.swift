// SPDX-License-Identifier: Apache-2.0
// What one node has in hand of one budget in the present slice, and who waits for a permit. No I/O, no clock.

/// The node's part of one slice. After the slice's end it is worth nothing.
struct SliceInHand {
    typealias Instant = ContinuousClock.Instant

    /// What a caller is to do next.
    enum Turn: Equatable {
        /// It has so many permits.
        case granted(Int)
        /// The database is to be asked; or it is asked already, and the answer is to be awaited.
        case ask
        /// Nothing comes before this time.
        case rest(until: Instant)
    }

    private(set) var slice: Int64?
    private var ends: Instant
    private var inHand = [Int](repeating: 0, count: CallKind.allCases.count)
    /// How many permits of the slice were handed out. No more can come back.
    private var handedOut = [Int](repeating: 0, count: CallKind.allCases.count)
    /// Kinds that have got less than they wanted. The slice has no more for them.
    private var isSpent = [Bool](repeating: false, count: CallKind.allCases.count)
    /// Those who wait, in their order.
    private var lines = [FairLine](repeating: FairLine(), count: CallKind.allCases.count)
    private var nextAsk: Instant

    init(now: Instant) { (self.ends, self.nextAsk) = (now, now) }

    mutating func lineUp(_ kind: CallKind, lane: String? = nil) -> FairLine.Ticket {
        self.lines[kind.place].join(lane)
    }

    mutating func leave(_ ticket: FairLine.Ticket, _ kind: CallKind) { self.lines[kind.place].leave(ticket) }

    /// The turn of one who waits in line. A permit in hand goes to those who stand in front.
    mutating func turn(of ticket: FairLine.Ticket, _ kind: CallKind, now: Instant) -> Turn {
        self.endSlice(now)
        let place = kind.place
        if let position = self.lines[place].position(of: ticket), position < self.inHand[place] {
            self.lines[place].serve(ticket)
            return self.handOut(1, place)
        }
        return self.rest(of: kind, now: now).map { Turn.rest(until: $0) } ?? .ask
    }

    /// The turn of one who takes what there is, up to `most`, and does not wait. Those in line come first.
    mutating func turn(taking most: Int, _ kind: CallKind, now: Instant) -> Turn {
        self.endSlice(now)
        let free = self.inHand[kind.place] - self.lines[kind.place].count
        if free > 0 { return self.handOut(min(most, free), kind.place) }
        return self.rest(of: kind, now: now).map { Turn.rest(until: $0) } ?? .ask
    }

    private mutating func handOut(_ count: Int, _ place: Int) -> Turn {
        self.inHand[place] -= count
        self.handedOut[place] += count
        return .granted(count)
    }

    /// Until when it is not worth asking for this kind; nil when it is now.
    func rest(of kind: CallKind, now: Instant) -> Instant? {
        guard now < self.ends else { return nil }
        if self.isSpent[kind.place] { return self.ends }
        return kind != .tokens && now < self.nextAsk ? min(self.nextAsk, self.ends) : nil
    }

    /// How many calls of each kind those in line lack, with `more` of one kind.
    func wants(_ more: Int, _ kind: CallKind) -> [Int] {
        CallKind.allCases.map { other in
            let place = other.place
            if self.isSpent[place] { return 0 }
            return max(0, self.lines[place].count + (other == kind ? more : 0) - self.inHand[place])
        }
    }

    /// Takes the database's answer to `wants`. `pace`: how long no other request follows.
    mutating func receive(_ answer: TakenCalls, wants: [Int], pace: Duration, now: Instant) {
        self.endSlice(now)
        // A slice that is as good as over holds what it gave for a moment, else nobody would get it.
        let rest = max(answer.lasts, .milliseconds(10))
        if self.slice != answer.slice { self.begin(answer.slice, ends: now + rest) }
        self.nextAsk = now + pace
        for place in wants.indices {
            self.inHand[place] += answer.got[place]
            if answer.got[place] < wants[place] { self.isSpent[place] = true }
        }
    }

    /// Notes that the database could not say. Tokens go then; nothing else is in a hurry, and comes again in a second.
    mutating func receiveNothing(wants: [Int], now: Instant) {
        self.begin(nil, ends: now + .seconds(1))
        for kind in CallKind.allCases where kind != .tokens { self.isSpent[kind.place] = true }
        self.inHand[CallKind.tokens.place] = wants[CallKind.tokens.place]
    }

    /// The slice to which `count` unused permits go back, and how many it takes; nil when they have lapsed.
    ///
    /// A permit does not say of which slice it is. One of the slice before may come back to this one in its stead: both
    /// slices together then hold no more than their calls.
    mutating func giveBack(_ count: Int, _ kind: CallKind, now: Instant) -> (slice: Int64, count: Int)? {
        self.endSlice(now)
        let back = min(count, self.handedOut[kind.place])
        guard let slice, back > 0 else { return nil }
        self.handedOut[kind.place] -= back
        return (slice, back)
    }

    private mutating func endSlice(_ now: Instant) {
        if now >= self.ends { self.begin(nil, ends: now) }
    }

    private mutating func begin(_ slice: Int64?, ends: Instant) {
        (self.slice, self.ends) = (slice, ends)
        for place in self.inHand.indices {
            (self.inHand[place], self.handedOut[place], self.isSpent[place]) = (0, 0, false)
        }
    }
}
