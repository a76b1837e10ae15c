// SPDX-License-Identifier: Apache-2.0
// Webhook → event: prove who sent it, read what it asks for, and answer only when it is durable.

package import Foundation
package import Logging
package import Model
package import Postgres
package import Queue
package import Vault

/// One request to a hook, as it came in.
package struct Delivery: Sendable {
    package let hook: String
    /// All values of a header, by its lower-case name.
    package let headers: @Sendable (String) -> [String]
    package let body: [UInt8]
    package let receivedAt: Date

    package init(hook: String, headers: @escaping @Sendable (String) -> [String], body: [UInt8], receivedAt: Date) {
        self.hook = hook
        self.headers = headers
        self.body = body
        self.receivedAt = receivedAt
    }
}

/// A hook whose source was found in memory a moment ago.
package struct KnownHook: Sendable {
    let source: KnownSource
}

/// What a sender is told, once it is true: of each event of the delivery, in its order.
package struct Receipt: Sendable, Equatable {
    package struct Item: Sendable, Equatable {
        package let eventID: EventID
        package let status: EventOutcome
    }

    package let items: [Item]

    /// The first event's.
    package var eventID: EventID { self.items[0].eventID }
    /// Of the whole: accepted when any is.
    package var status: EventOutcome {
        self.items.contains { $0.status == .accepted } ? .accepted : self.items[0].status
    }

    /// Nil without an item.
    init?(_ items: [Item]) {
        guard !items.isEmpty else { return nil }
        self.items = items
    }
}

package enum IntakeError: Error, Equatable {
    case unknownHook
    /// The reason names a header, never a value.
    case badProof(String)
    case badPayload(InvalidValue)
    /// The body names a tenant, there, that this source may not speak for.
    case tenantNotAllowed(String)
    /// Another event was stored under this delivery's id.
    case deliveryReused
    /// Not stored, or not known to be: the sender must try again.
    case unavailable
}

/// The front door for sign-ups.
package final class Intake: Sendable {
    private let sources: SourceCache
    private let writer: EventWriter

    /// `pool` is the writer's, `lookUps` finds sources: who guesses hook ids must not take the writer's connections.
    package init(pool: PostgresPool, lookUps: PostgresPool, vault: Vault, wakeup: Wakeup, logger: Logger) {
        self.sources = SourceCache(pool: lookUps, vault: vault)
        self.writer = EventWriter(pool: pool, wakeup: wakeup, logger: logger)
    }

    /// Runs the writer until the task is cancelled and the batch under way is committed.
    package func run() async { await self.writer.run() }

    /// Takes one delivery in. Returns after the commit that holds its events, their users and their jobs.
    ///
    /// Cancelled here: the delivery, once handed to the writer, is written all the same; only the answer is lost.
    package func receive(_ delivery: Delivery) async throws(IntakeError) -> Receipt {
        let source = try await self.sources.source(for: delivery.hook, now: delivery.receivedAt)
        let events = try Self.events(of: delivery, from: source)
        let result = await withCheckedContinuation { waiting in
            self.writer.write(events) { waiting.resume(returning: $0) }
        }
        return try result.get()
    }

    /// A hook whose source is in memory, so that its deliveries can be taken in without waiting for the database.
    package func knownHook(_ hook: String, now: Date) -> KnownHook? {
        self.sources.known(hook, now: now).map(KnownHook.init)
    }

    /// Takes one delivery in as `receive(_:)` does, without a task: `answer` is called once, from any thread, perhaps
    /// before this returns.
    package func receive(
        _ delivery: Delivery, at hook: KnownHook, answer: @escaping @Sendable (Result<Receipt, IntakeError>) -> Void
    ) {
        do throws(IntakeError) {
            self.writer.write(try Self.events(of: delivery, from: hook.source), answer: answer)
        } catch {
            answer(.failure(error))
        }
    }

    /// Seconds by which a sender's clock may be ahead of ours.
    private static let maximumAhead: TimeInterval = 300

    /// The proof first, over the bytes as they came; only then is anything read.
    private static func events(of delivery: Delivery, from source: KnownSource) throws(IntakeError) -> NewDelivery {
        let deliveryID: String
        do {
            deliveryID = try source.proof.verify(
                header: delivery.headers, body: delivery.body, now: delivery.receivedAt)
        } catch {
            throw .badProof(error.reason)
        }
        let meaning: CanonicalEvent.Meaning
        do {
            meaning = try CanonicalEvent.read(delivery.body)
        } catch {
            throw .badPayload(error)
        }
        let event = NewEvent(
            id: EventID(at: delivery.receivedAt), source: source.id, deliveryID: deliveryID,
            receivedAt: delivery.receivedAt, owner: source.owner)
        guard case .changes(let requests, let wanted, let occurredAt) = meaning else { return NewDelivery(event) }
        if let occurredAt, occurredAt > delivery.receivedAt + Self.maximumAhead {
            throw .badPayload(
                InvalidValue("timestamp", "lies more than five minutes ahead: nothing said later would count"))
        }
        var changes: [UserChange] = []
        for request in requests {
            let user = UserKey(tenant: try Self.tenant(of: request, from: source), user: request.user)
            changes.append(UserChange(user: user, wanted: wanted, occurredAt: occurredAt))
        }
        return NewDelivery(event, asking: changes)
    }

    private static func tenant(
        of request: CanonicalEvent.Request, from source: KnownSource
    ) throws(IntakeError) -> TenantID {
        if let tenant = source.tenant(named: request.tenant) { return tenant }
        let place = "\(request.place).tenant_id"
        guard request.tenant == nil else { throw .tenantNotAllowed(place) }
        throw .badPayload(InvalidValue(place, "is needed: this source serves several tenants"))
    }
}
