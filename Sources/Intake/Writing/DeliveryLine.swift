// SPDX-License-Identifier: Apache-2.0
// The deliveries that wait for a commit, and the rule that says which of them the next commit takes.

import Model

/// Told once what became of a delivery.
typealias WriteCompletion = @Sendable (Result<Receipt, IntakeError>) -> Void

/// How much may wait, and how much is taken at once.
struct LineLimits: Sendable {
    /// Events in one batch at most, unless its first delivery alone has more.
    var batch: Int
    /// The line takes no delivery while this many events wait.
    var waiting: Int
    /// A source can add no delivery while this many of its events wait, so that it leaves room for the others.
    var waitingOfSource: Int
    /// The same for a tenant, which may have many sources.
    var waitingOfTenant: Int
    /// Deliveries of one source that may wait for one user, or under one id. They need a commit each.
    var waitingAlike: Int
}

/// A line that is bounded in all, for each tenant and for each source. It knows no database.
///
/// Each source has a lane, and lanes are served in turns, one delivery at a time. Within a lane the delivery that came
/// first goes first. A sender therefore makes others wait for its turns and never for its whole lane.
///
/// Deliveries that name the same user, or come under the same id, form a chain. A delivery is ready when it leads all
/// its chains. A batch is chosen among ready deliveries alone, so blocked ones cost it nothing.
struct DeliveryLine<Delivery: LineDelivery>: Sendable {
    typealias Limits = LineLimits

    struct Entry: Sendable {
        let delivery: Delivery
        let completion: WriteCompletion
    }

    private struct Waiting: Sendable {
        let entry: Entry
        let lane: Int
        /// Grows by one with each delivery.
        let arrival: Int
        /// Chains in which another delivery stands before this one.
        var blocks: Int
    }

    private let limits: Limits
    /// By slot.
    private var waiting: [Waiting?] = []
    private var freeSlots: [Int] = []
    /// By their number. A lane without deliveries is free, and keeps its memory for the next source.
    private var lanes: [Lane] = []
    private var freeLanes: [Int] = []
    private var laneOfSource: [SourceID: Int] = [:]
    private var turns = Turns()
    private var keys: [Delivery.Event.Key: Chain] = [:]
    private var eventsOfTenant: [TenantID: Int] = [:]
    private var events = 0
    private var arrivals = 0
    private var isClosed = false

    init(limits: Limits) { self.limits = limits }

    // MARK: In

    /// Takes a delivery. Returns why not when there is no room for it or the line is closed.
    mutating func add(_ delivery: Delivery, completion: @escaping WriteCompletion) -> IntakeError? {
        guard !self.isClosed else { return .unavailable }
        guard self.hasRoom(for: delivery) else { return .busy(retryAfter: Self.retryAfter) }
        let lane = self.laneOfSource[delivery.source] ?? self.openLane(for: delivery.source)
        let slot = self.freeSlots.popLast() ?? self.waiting.count
        if slot == self.waiting.count { self.waiting.append(nil) }
        var blocks = self.lanes[lane].deliveries.join(slot, delivery.id) ? 1 : 0
        for event in delivery.events {
            if self.keys.join(slot, event.lineKey) { blocks += 1 }
            if let tenant = event.lineTenant { self.eventsOfTenant[tenant, default: 0] += 1 }
        }
        self.waiting[slot] = Waiting(
            entry: Entry(delivery: delivery, completion: completion), lane: lane, arrival: self.arrivals,
            blocks: blocks)
        self.arrivals += 1
        self.events += delivery.events.count
        self.lanes[lane].events += delivery.events.count
        if blocks == 0 { self.makeReady(slot) }
        return nil
    }

    /// Seconds. A full line empties within about a second, and a chain within milliseconds.
    private static var retryAfter: Int { 1 }

    /// The last free place is enough for a delivery of several events.
    private func hasRoom(for delivery: Delivery) -> Bool {
        guard self.events < self.limits.waiting else { return false }
        let number = self.laneOfSource[delivery.source]
        if let number {
            guard self.lanes[number].events < self.limits.waitingOfSource,
                (self.lanes[number].deliveries[delivery.id]?.count ?? 0) < self.limits.waitingAlike
            else { return false }
        }
        return delivery.events.allSatisfy { event in
            if let tenant = event.lineTenant, self.eventsOfTenant[tenant, default: 0] >= self.limits.waitingOfTenant {
                return false
            }
            guard let chain = self.keys[event.lineKey], chain.count >= self.limits.waitingAlike else { return true }
            return chain.count(where: { self.waiting[$0]?.lane == number }) < self.limits.waitingAlike
        }
    }

    private mutating func openLane(for source: SourceID) -> Int {
        let lane = self.freeLanes.popLast() ?? self.lanes.count
        if lane == self.lanes.count { self.lanes.append(Lane()) }
        self.laneOfSource[source] = lane
        return lane
    }

    /// Lets the next batch take a delivery, when the turn of its source comes.
    private mutating func makeReady(_ slot: Int) {
        guard let entry = self.waiting[slot] else { return }
        if self.lanes[entry.lane].ready.isEmpty { self.turns.append(entry.lane) }
        self.lanes[entry.lane].ready.insert(slot, arrival: entry.arrival)
    }

    // MARK: Out

    /// Takes the next deliveries. Returns none when none waits.
    ///
    /// A batch holds at most one delivery for each user, because the second must see what the first did. It holds each
    /// delivery id of a source once. A batch ends before a delivery that does not fit; that one leads the next batch.
    mutating func takeBatch() -> [Entry] {
        var batch: [Int] = []
        var events = 0
        while events < self.limits.batch, let lane = self.turns.first, let slot = self.lanes[lane].ready.first {
            let count = self.waiting[slot]?.entry.delivery.events.count ?? 0
            guard batch.isEmpty || events + count <= self.limits.batch else { break }
            self.turns.removeFirst()
            self.lanes[lane].ready.removeFirst()
            if !self.lanes[lane].ready.isEmpty { self.turns.append(lane) }
            batch.append(slot)
            events += count
        }
        // What waited behind these becomes ready only now, so that it cannot be in the same batch.
        return batch.compactMap { self.remove($0) }
    }

    /// Takes a delivery out of its chains and of all counts.
    private mutating func remove(_ slot: Int) -> Entry? {
        guard let gone = self.waiting[slot] else { return nil }
        let delivery = gone.entry.delivery
        self.waiting[slot] = nil
        self.freeSlots.append(slot)
        for event in delivery.events {
            if let next = self.keys.leave(slot, event.lineKey) { self.unblock(next) }
            if let tenant = event.lineTenant { self.countOut(tenant) }
        }
        if let next = self.lanes[gone.lane].deliveries.leave(slot, delivery.id) { self.unblock(next) }
        self.events -= delivery.events.count
        self.lanes[gone.lane].events -= delivery.events.count
        if self.lanes[gone.lane].events == 0 {
            self.laneOfSource[delivery.source] = nil
            self.freeLanes.append(gone.lane)
        }
        return gone.entry
    }

    private mutating func countOut(_ tenant: TenantID) {
        guard let place = self.eventsOfTenant.index(forKey: tenant) else { return }
        self.eventsOfTenant.values[place] -= 1
        if self.eventsOfTenant.values[place] == 0 { self.eventsOfTenant.remove(at: place) }
    }

    private mutating func unblock(_ slot: Int) {
        self.waiting[slot]?.blocks -= 1
        if self.waiting[slot]?.blocks == 0 { self.makeReady(slot) }
    }

    /// Closes the line for good. Returns the deliveries that still wait, in the order of arrival.
    mutating func close() -> [Entry] {
        let left = self.waiting.compactMap(\.self).sorted { $0.arrival < $1.arrival }
        self = DeliveryLine(limits: self.limits)
        self.isClosed = true
        return left.map(\.entry)
    }
}
