// SPDX-License-Identifier: Apache-2.0
// Webhook → event: prove who sent it, read what it asks for, and answer only when it is durable.
//
// The rooms behind this door follow a delivery's way. `Registry` finds the source that a hook belongs to. `Proof`
// checks who has sent the raw bytes. `Reading` reads the canonical event, and `Mapping` that of any other sender.
// `Mapped` takes in what a mapping has read, and keeps what cannot be used. `Writing` commits the events of many
// deliveries together. `Tally` counts what is not stored. A sender hears "accepted" only after the commit that holds
// its events, their users and their jobs.
//
// `Signing` goes the way back: it makes and signs what a sender would send, of the events in `Samples`.
// Two rooms are an operator's: `Events` shows what came, and `Replay` tries again what could not be used.

package import Counts
package import Foundation
package import Logging
import Model
package import Postgres
package import Queue
package import Telemetry
package import Vault

/// The front door for sign-ups.
package final class Intake: Sendable {
    let sources: SourceCache
    let budgets: SourceBudgets
    private let writer: EventWriter
    let mapped: MappedIntake
    /// Of what is not stored.
    let tally: Tally
    /// Of each tenant.
    let counts: TenantCounts

    /// `pool` is the writer's. `hooks` reads the sources of known hooks again; nil: the writer's does. `lookUps` finds
    /// all others, because a sender that guesses hook ids must take no connection of these. `shares` counts them.
    /// `sourceRate` is how many events per second one source may bring to this process. `fetchKeys` gets the keys that
    /// senders publish.
    package init(
        pool: PostgresPool, hooks: PostgresPool? = nil, lookUps: PostgresPool, shares: PoolShares = PoolShares(),
        vault: Vault, wakeup: Wakeup, logger: Logger, metrics: Measurements = Measurements(),
        counts: TenantCounts = TenantCounts(), sourceRate: Int = 20_000,
        fetchKeys: @escaping JWKSCache.Fetch = Intake.fetchesNoKeys
    ) {
        self.budgets = SourceBudgets(rate: sourceRate, logger: logger)
        self.sources = SourceCache(
            known: hooks ?? pool, lookUps: lookUps, shares: shares, vault: vault, budgets: self.budgets,
            published: JWKSCaches(fetch: fetchKeys))
        self.tally = Tally(pool: pool, logger: logger)
        self.counts = counts
        self.writer = EventWriter(
            pool: pool, wakeup: wakeup, logger: logger, metrics: metrics, vault: vault, counts: counts)
        self.mapped = MappedIntake(
            plain: self.writer,
            tracked: TrackedWriter(
                pool: pool, wakeup: wakeup, logger: logger, metrics: metrics, vault: vault, counts: counts),
            quarantine: Quarantine(pool: pool, vault: vault, logger: logger), tally: self.tally, counts: counts)
    }

    /// For a process without a client for senders' keys. Their deliveries are told to come again.
    package static let fetchesNoKeys: JWKSCache.Fetch = { _, _ in throw IntakeError.keysUnavailable }

    /// Takes one delivery in. Returns after the commit that holds its events, their users and their jobs.
    ///
    /// Cancelled here: a delivery that the writer has taken is written all the same, and only the answer is lost.
    package func receive(_ delivery: Delivery) async throws(IntakeError) -> Receipt {
        let begun = ContinuousClock.now
        let source = try await self.sources.source(for: delivery.hook, now: delivery.receivedAt)
        if case .mapped(let mapped) = source.reader { await MappedIntake.prepareKeys(of: mapped, for: delivery) }
        let result = await withCheckedContinuation { waiting in
            self.receive(delivery, from: source, begun: begun) { waiting.resume(returning: $0) }
        }
        return try result.get()
    }

    /// The way of `HookFastPath`: takes one delivery in as `receive(_:)` does, without a task. `answer` is called once,
    /// from any thread, perhaps before this returns.
    package func receive(
        _ delivery: Delivery, at hook: KnownHook, answer: @escaping @Sendable (Result<Receipt, IntakeError>) -> Void
    ) {
        self.receive(delivery, from: hook.source, begun: .now, answer: answer)
    }

    private func receive(
        _ delivery: Delivery, from source: KnownSource, begun: ContinuousClock.Instant,
        answer: @escaping WriteCompletion
    ) {
        switch source.reader {
        case .canonical(let proof): self.receive(delivery, from: source, provenBy: proof, answer: answer)
        case .mapped(let mapped): self.mapped.receive(delivery, from: mapped, begun: begun, answer: answer)
        case .disabled: answer(.failure(.disabled))
        }
    }

    private func receive(
        _ delivery: Delivery, from source: KnownSource, provenBy proof: StandardWebhooksProof,
        answer: @escaping WriteCompletion
    ) {
        do throws(IntakeError) {
            switch try Self.events(of: delivery, from: source, provenBy: proof) {
            case .events(let events):
                if !self.writer.write(events, completion: answer) {
                    source.budget.giveBack(events.events.count)
                    source.budget.countRefused()
                }
            case .nothing(let type):
                // To ignore is idempotent, so nothing need be remembered, and a repeat is answered alike.
                source.budget.countIgnored()
                self.tally.count(.ignored, type, of: source.id, at: delivery.receivedAt) { delivery.form }
                if let tenant = source.tenant { self.counts.add(.received(.ignored), of: tenant) }
                answer(.success(.ignored(EventID(at: delivery.receivedAt))))
            }
        } catch {
            answer(.failure(error))
        }
    }

    // MARK: Hooks

    /// Throws `unknownHook` for a hook without a source, so that nobody reads a body for it.
    ///
    /// Cancelled here: nothing was begun.
    package func requireHook(_ hook: String, now: Date) async throws(IntakeError) -> KnownHook {
        KnownHook(source: try await self.sources.source(for: hook, now: now))
    }

    /// Returns a hook whose source is in memory, so that its deliveries need not wait for the database. Nil also for a
    /// source whose deliveries may wait for keys that their sender publishes.
    package func knownHook(_ hook: String, now: Date) -> KnownHook? {
        guard let source = self.sources.known(hook, now: now) else { return nil }
        if case .mapped(let mapped) = source.reader, mapped.compiled.takesPublishedKeys { return nil }
        return KnownHook(source: source)
    }

    /// Returns the answer to the request by which a sender finds out whether a hook is there. Nil: the hook's source
    /// knows no such request, or there is no such hook.
    package func handshake(
        _ method: String, at hook: String, headers: @escaping @Sendable (String) -> [String], now: Date,
        lengths: @escaping @Sendable () -> [HeaderLength] = { [] }
    ) async throws(IntakeError) -> Handshake.Answer? {
        let source: KnownSource
        do { source = try await self.sources.source(for: hook, now: now) } catch {
            guard error == .unknownHook else {
                self.countRefused(Refusal(error), at: hook, now: now) { RequestForm(headers: lengths(), body: 0) }
                throw error
            }
            return nil
        }
        guard case .mapped(let mapped) = source.reader, let handshake = mapped.mapping.handshake(method) else {
            return nil
        }
        if handshake.needsProof {
            let request = Delivery(hook: hook, headers: headers, body: [], receivedAt: now, lengths: lengths)
            await MappedIntake.prepareKeys(of: mapped, for: request)
            do { _ = try MappedIntake.proven(request, from: mapped) } catch {
                self.tally.count(Refusal(error), of: mapped.id, at: now) { request.form }
                throw error
            }
        }
        return handshake.answer(headers)
    }

    /// Runs the writers until the task is cancelled and the batch under way is committed. Meanwhile it tells every
    /// minute what was not stored, and writes the counts of it every ten seconds and at the end.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.writer.run() }
            group.addTask { await self.mapped.run() }
            group.addTask { await self.budgets.run() }
            group.addTask { await self.tally.run() }
        }
        await self.tally.writeLast()
    }

    // MARK: The canonical event

    /// What a delivery asks for. `type` is what its sender calls it.
    private enum Asked {
        case events(NewDelivery)
        case nothing(type: String)
    }

    /// The proof comes first, over the bytes as they came. Nothing is read before it holds. `Problem` turns what is
    /// thrown here into the sender's answer: 401 for a bad proof, 503 above the source's rate, 400 or 422 for the
    /// payload.
    private static func events(
        of delivery: Delivery, from source: KnownSource, provenBy proof: StandardWebhooksProof
    ) throws(IntakeError) -> Asked {
        let (id, secret) = try Self.proven(delivery, by: proof)
        if let wait = source.budget.take() { throw .busy(retryAfter: Int(wait.components.seconds) + 1) }
        do throws(UnusableBody) {
            let (changes, names, type) = try Self.changes(asked: delivery, from: source)
            source.budget.takeMore(max(0, changes.count - 1))
            let events = NewDelivery(
                id, of: source.id, asking: changes, calling: names, receivedAt: delivery.receivedAt, secret: secret)
            return events.map(Asked.events) ?? .nothing(type: type ?? IgnoreReason.unrelated.rawValue)
        } catch {
            // The one place that decides what the sender of a proven body hears when the body cannot be used. The
            // canonical event is our own format, so its sender is told what is wrong, and nothing is stored.
            throw .unusable(error)
        }
    }

    private static func proven(
        _ delivery: Delivery, by proof: StandardWebhooksProof
    ) throws(IntakeError) -> (id: String, secret: UUID?) {
        do {
            let proven = try proof.prove(delivery.headers, delivery.body, delivery.receivedAt)
            return (proven.deliveryID ?? "", proven.secretID)
        } catch {
            throw .badProof(error)
        }
    }

    /// Returns the changes that a delivery asks for. An event that asks nothing of us has none, and perhaps a type. Where
    /// the source keeps names, each change's user has one or nil, in their order.
    static func changes(
        asked delivery: Delivery, from source: KnownSource
    ) throws(UnusableBody) -> (changes: [UserChange], names: [PersonName?], type: String?) {
        switch try CanonicalEvent.read(delivery.body, readsNames: source.keepsNames) {
        case .nothing(let type): return ([], [], type.flatMap { $0.isEmpty ? nil : $0 })
        case .changes(let requests, let wanted, let occurredAt):
            try Self.requireNotAhead(occurredAt, of: delivery)
            var changes: [UserChange] = []
            for request in requests {
                let user = UserKey(tenant: try Self.tenant(of: request, from: source), user: request.user)
                changes.append(UserChange(user: user, wanted: wanted, occurredAt: occurredAt))
            }
            return (changes, source.keepsNames ? requests.map(\.name) : [], nil)
        }
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
