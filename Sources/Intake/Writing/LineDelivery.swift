// SPDX-License-Identifier: Apache-2.0
// What the line and the group commit need of a delivery, whether its source speaks of users or of people.

import Model
import Postgres
import Queue

/// One item of a delivery.
protocol LineEvent: Sendable {
    associatedtype Key: Hashable, Sendable
    var id: EventID { get }
    /// Two deliveries with one key are never in one batch, because the second must see what the first did.
    var lineKey: Key { get }
    /// The tenant in whose room it waits; nil when the tenant is known only when the event is written.
    var lineTenant: TenantID? { get }
}

/// A delivery whose events are stored together or not at all.
protocol LineDelivery: Sendable {
    associatedtype Event: LineEvent
    /// In the delivery's order; at least one.
    var events: [Event] { get }
    var source: SourceID { get }
    /// The ledger's id of the delivery.
    var id: String { get }

    /// Nil without an event.
    init?(_ events: [Event])

    /// Seals the names that the events tell, before anything is locked. Returns the events with them.
    ///
    /// Cancelled here: nothing is lost but names.
    static func seal(_ events: [Event], by names: NameSealing, in pool: PostgresPool) async throws -> [Event]

    /// How often a batch is tried again that was a deadlock's victim.
    static var repeats: Int { get }

    /// Stores the events in one commit and returns what became of each. An event without a result is not known to be
    /// stored.
    ///
    /// Shielded from cancellation, because a batch belongs to the writer and not to its shutdown.
    static func store(
        _ events: [Event], _ clock: inout FairClock, in pool: PostgresPool
    ) async throws -> [EventID: EventResult]
}

extension LineDelivery {
    /// Returns the delivery, or parts of it that are stored one after the other when it is large. Item 0 stands in the
    /// last part, and so does the last item. Until then the delivery is unknown, and its repetition goes on.
    ///
    /// So others wait for a part of it, and never for all.
    var parts: [Self] {
        guard self.events.count > 1000 else { return [self] }
        let size = 255
        var parts: [Self] = []
        var rest = self.events.dropFirst()
        while rest.count > size {
            if let part = Self(Array(rest.prefix(size))) { parts.append(part) }
            rest = rest.dropFirst(size)
        }
        if let last = Self(Array(self.events.prefix(1) + rest)) { parts.append(last) }
        return parts
    }

    /// Returns the receipt when every event has a result, and the first error otherwise.
    func receipt(from results: [EventID: EventResult]) -> Result<Receipt, IntakeError> {
        do throws(IntakeError) {
            var items: [Receipt.Item] = []
            for event in self.events { items.append(try (results[event.id] ?? .failure(.unavailable)).get()) }
            guard let receipt = Receipt(items) else { throw .unavailable }
            return .success(receipt)
        } catch {
            return .failure(error)
        }
    }
}
