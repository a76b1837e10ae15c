// SPDX-License-Identifier: Apache-2.0
// Webhook → event: prove who sent it, read what it asks for, and answer only when it is durable.
//
// The rooms behind this door follow a delivery's way. `Registry` finds the source that a hook belongs to. `Reading`
// checks the proof over the raw bytes and reads the payload. `Writing` commits the events of many deliveries together.
// A sender hears "accepted" only after the commit that holds its events, their users and their jobs.

package import Foundation
package import Logging
import Model
package import Postgres
package import Queue
package import Telemetry
package import Vault

/// The front door for sign-ups.
package final class Intake: Sendable {
    private let sources: SourceCache
    private let budgets: SourceBudgets
    private let writer: EventWriter

    /// `pool` is the writer's. `hooks` reads the sources of known hooks again; nil: the writer's does. `lookUps` finds
    /// all others, because a sender that guesses hook ids must take no connection of these. `shares` counts them.
    /// `sourceRate` is how many events per second one source may bring to this process.
    package init(
        pool: PostgresPool, hooks: PostgresPool? = nil, lookUps: PostgresPool, shares: PoolShares = PoolShares(),
        vault: Vault, wakeup: Wakeup, logger: Logger, metrics: Measurements = Measurements(), sourceRate: Int = 20_000
    ) {
        self.budgets = SourceBudgets(rate: sourceRate, logger: logger)
        self.sources = SourceCache(
            known: hooks ?? pool, lookUps: lookUps, shares: shares, vault: vault, budgets: self.budgets)
        self.writer = EventWriter(pool: pool, wakeup: wakeup, logger: logger, metrics: metrics)
    }

    /// Takes one delivery in. Returns after the commit that holds its events, their users and their jobs.
    ///
    /// Cancelled here: a delivery that the writer has taken is written all the same, and only the answer is lost.
    package func receive(_ delivery: Delivery) async throws(IntakeError) -> Receipt {
        let source = try await self.sources.source(for: delivery.hook, now: delivery.receivedAt)
        let result = await withCheckedContinuation { waiting in
            self.receive(delivery, from: source) { waiting.resume(returning: $0) }
        }
        return try result.get()
    }

    /// The way of `HookFastPath`: takes one delivery in as `receive(_:)` does, without a task. `answer` is called once,
    /// from any thread, perhaps before this returns.
    package func receive(
        _ delivery: Delivery, at hook: KnownHook, answer: @escaping @Sendable (Result<Receipt, IntakeError>) -> Void
    ) {
        self.receive(delivery, from: hook.source, answer: answer)
    }

    private func receive(_ delivery: Delivery, from source: KnownSource, answer: @escaping WriteCompletion) {
        do throws(IntakeError) {
            guard let events = try Self.events(of: delivery, from: source) else {
                // To ignore is idempotent, so nothing need be remembered, and a repeat is answered alike.
                source.budget.countIgnored()
                return answer(.success(.ignored(EventID(at: delivery.receivedAt))))
            }
            if !self.writer.write(events, completion: answer) {
                source.budget.giveBack(events.events.count)
                source.budget.countRefused()
            }
        } catch {
            answer(.failure(error))
        }
    }

    /// Throws `unknownHook` for a hook without a source, so that nobody reads a body for it.
    ///
    /// Cancelled here: nothing was begun.
    package func requireHook(_ hook: String, now: Date) async throws(IntakeError) {
        _ = try await self.sources.source(for: hook, now: now)
    }

    /// Returns a hook whose source is in memory, so that its deliveries need not wait for the database.
    package func knownHook(_ hook: String, now: Date) -> KnownHook? {
        self.sources.known(hook, now: now).map(KnownHook.init)
    }

    /// Runs the writer until the task is cancelled and the batch under way is committed. Meanwhile it tells every
    /// minute what was not stored.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.writer.run() }
            group.addTask { await self.budgets.run() }
        }
    }

    /// The proof comes first, over the bytes as they came. Nothing is read before it holds. `Problem` turns what is
    /// thrown here into the sender's answer: 401 for a bad proof, 503 above the source's rate, 400 or 422 for the
    /// payload. Nil: the delivery asks nothing of us.
    private static func events(
        of delivery: Delivery, from source: KnownSource
    ) throws(IntakeError) -> NewDelivery? {
        let id = try Self.provenID(of: delivery, from: source)
        if let wait = source.budget.take() { throw .busy(retryAfter: Int(wait.components.seconds) + 1) }
        do throws(UnusableBody) {
            let changes = try Self.changes(asked: delivery, from: source)
            source.budget.takeMore(max(0, changes.count - 1))
            return NewDelivery(id, of: source.id, asking: changes, receivedAt: delivery.receivedAt)
        } catch {
            // The one place that decides what the sender of a proven body hears when the body cannot be used. The
            // canonical event is our own format, so its sender is told what is wrong, and nothing is stored.
            throw .unusable(error)
        }
    }

    private static func provenID(of delivery: Delivery, from source: KnownSource) throws(IntakeError) -> String {
        do {
            return try source.proof.verify(header: delivery.headers, body: delivery.body, now: delivery.receivedAt)
        } catch {
            throw .badProof(error.reason)
        }
    }

    /// Returns the changes that a delivery asks for. An event that asks nothing of us has none.
    private static func changes(
        asked delivery: Delivery, from source: KnownSource
    ) throws(UnusableBody) -> [UserChange] {
        guard case .changes(let requests, let wanted, let occurredAt) = try CanonicalEvent.read(delivery.body) else {
            return []
        }
        try Self.requireNotAhead(occurredAt, of: delivery)
        var changes: [UserChange] = []
        for request in requests {
            let user = UserKey(tenant: try Self.tenant(of: request, from: source), user: request.user)
            changes.append(UserChange(user: user, wanted: wanted, occurredAt: occurredAt))
        }
        return changes
    }

    /// Seconds by which a sender's clock may be ahead of ours.
    private static let maximumAhead: TimeInterval = 300

    /// A time far ahead would supersede everything that the sender says until then.
    private static func requireNotAhead(_ occurredAt: Date?, of delivery: Delivery) throws(UnusableBody) {
        guard let occurredAt, occurredAt > delivery.receivedAt + Self.maximumAhead else { return }
        throw .wrongValue(
            InvalidValue("timestamp", "lies more than five minutes ahead: nothing said later would count"))
    }

    private static func tenant(
        of request: CanonicalEvent.Request, from source: KnownSource
    ) throws(UnusableBody) -> TenantID {
        if let tenant = source.tenant(named: request.tenant) { return tenant }
        let place = "\(request.place).tenant_id"
        guard request.tenant == nil else { throw .tenantNotAllowed(place) }
        throw .wrongValue(InvalidValue(place, "is needed: this source serves several tenants"))
    }
}
