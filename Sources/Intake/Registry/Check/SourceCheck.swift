// SPDX-License-Identifier: Apache-2.0
// What a source would make of a delivery: each part of its mapping, each item, and the users whose wish would change.

package import Foundation
import Logging
package import Model
import Postgres

package struct SourceCheck: Sendable {
    /// What the request would come to as a whole.
    package enum Decision: String, Sendable {
        /// The sender is not proven, or the canonical event cannot be used: nothing is stored.
        case refused
        /// An item cannot be used yet.
        case quarantined
        /// Nothing of it asks anything of us.
        case ignored
        /// All of it is stored.
        case stored
    }

    package struct Item: Sendable {
        package let deliveryID: String
        /// Such as "u-1 in org_1: membership live: accepted in tenant acme"; or why there is nothing to do.
        package let text: String
    }

    package struct Change: Sendable {
        package let user: UserKey
        package let wanted: Wanted
    }

    /// Why the sender is not proven; nil: it is.
    package let refusal: String?
    package let decision: Decision
    package let steps: [TraceStep]
    package let items: [Item]
    package let changes: [Change]
    /// What may be why the sender is not proven: its own secret was never brought in. Nil: that is not so.
    package fileprivate(set) var warning: String?

    fileprivate init(
        refusal: String?, _ decision: Decision, steps: [TraceStep] = [], items: [Item], changes: [Change] = []
    ) {
        self.refusal = refusal
        self.decision = refusal == nil ? decision : .refused
        self.steps = steps
        self.items = items
        self.changes = changes
    }
}

extension SourceRegistry {
    /// Checks a delivery as if it had come at `now`. What cannot be proven is read all the same, so that an operator
    /// finds both mistakes. So is a delivery to a source that is disabled. Published keys are not fetched.
    ///
    /// What would be stored is written in a transaction that is rolled back.
    package func check(
        _ body: [UInt8], headers: [(name: String, value: String)], slug: String, tenant: TenantID?, now: Date
    ) async throws -> SourceCheck {
        let found = try await self.find(slug, tenant)
        let source = try await self.source(found, slug, now: now)
        let values: @Sendable (String) -> [String] = { name in
            headers.filter { $0.name.lowercased() == name }.map(\.value)
        }
        let delivery = Delivery(hook: found.hookID, headers: values, body: body, receivedAt: now)
        var check: SourceCheck
        switch source.reader {
        case .canonical(let proof): check = try await self.check(delivery, from: source, by: proof)
        case .mapped(let mapped): check = try await self.check(delivery, from: mapped)
        case .disabled: throw IntakeError.disabled
        }
        if check.refusal != nil, source.lacksSendersSecret {
            check.warning = try found.terms.warning(of: slug, hasGivenSecret: false)
        }
        return check
    }

    private func source(_ found: FoundSource, _ slug: String, now: Date) async throws -> KnownSource {
        let cache = SourceCache(
            known: self.pool, lookUps: self.pool, shares: PoolShares(), vault: self.vault,
            budgets: SourceBudgets(rate: 1, logger: Logger(label: "check") { _ in SwiftLogNoOpLogHandler() }),
            published: JWKSCaches(fetch: Intake.fetchesNoKeys), readsDisabled: true)
        do { return try await cache.source(for: found.hookID, now: now) } catch {
            if error == .unknownHook { throw SourceError.unknownSource(slug) }
            // What the cache keeps to itself: the configuration does not compile, or no secret opens.
            try found.terms.requireUse(of: try await self.secretsInForce(of: found.id, found.scope))
            throw SourceError.unreadable(slug)
        }
    }

    // MARK: The canonical event

    private func check(
        _ delivery: Delivery, from source: KnownSource, by proof: StandardWebhooksProof
    ) async throws -> SourceCheck {
        var refusal: String?
        var id = ""
        do { id = try proof.prove(delivery.headers, delivery.body, delivery.receivedAt).deliveryID ?? "" } catch {
            refusal = error.reason
        }
        let changes: [UserChange]
        do throws(UnusableBody) { changes = try Intake.changes(asked: delivery, from: source).changes } catch {
            let item = SourceCheck.Item(deliveryID: id, text: "refused: \(error.words)")
            return SourceCheck(refusal: refusal, .refused, items: [item])
        }
        // A delivery without a proof has no id of its own.
        let asked = NewDelivery(
            id.isEmpty ? "-" : id, of: source.id, asking: changes, receivedAt: delivery.receivedAt)
        guard let asked else {
            return SourceCheck(refusal: refusal, .ignored, items: [.init(deliveryID: id, text: "ignored: unrelated")])
        }
        let trial = try await SourceTrial.run([.plain(asked)], in: self.pool)
        let items = zip(changes, asked.events).map { change, event in
            let verb = change.wanted == .live ? "provision" : "revoke"
            let refused = trial.reused.contains(event.id) ? "refused: " : ""
            let outcome = trial.outcomes[event.id].map { ": \(refused)\($0)" } ?? ""
            return SourceCheck.Item(
                deliveryID: id, text: "\(verb) \(change.user.user) in \(change.user.tenant)\(outcome)")
        }
        // The canonical sender is told 409 for an id that was used before.
        let decision: SourceCheck.Decision = trial.reused.isEmpty ? .stored : .refused
        return SourceCheck(refusal: refusal, decision, items: items, changes: trial.changes)
    }

    // MARK: Any other sender's

    private func check(_ delivery: Delivery, from source: MappedSource) async throws -> SourceCheck {
        var refusal: String?
        var proven = Proven()
        do { proven = try MappedIntake.proven(delivery, from: source) } catch {
            if case .badProof(let failure) = error {
                refusal = failure.reason
            } else {
                refusal = "the keys are not here"
            }
        }
        let request = ProvenRequest(
            headers: delivery.headers, body: delivery.body, receivedAt: delivery.receivedAt,
            provenID: proven.deliveryID, claims: proven.claims)
        let (mapped, steps) = source.mapping.trace(request, showsPersonal: true)
        let taken = TakenRequest(request, from: source, secret: nil).deliveries
        let trial = try await SourceTrial.run(taken.map(\.words), in: self.pool)
        let items = Self.items(of: mapped, taken, trial, isTracked: source.isTracked, receivedAt: request.receivedAt)
        return SourceCheck(
            refusal: refusal, Self.decision(taken, trial), steps: steps, items: items, changes: trial.changes)
    }

    private static func items(
        of mapped: MappedRequest, _ taken: [TakenDelivery], _ trial: SourceTrial, isTracked: Bool, receivedAt: Date
    ) -> [SourceCheck.Item] {
        var items: [SourceCheck.Item] = []
        for (delivery, taken) in zip(mapped.deliveries, taken) {
            var ids = taken.words.ids[...]
            for item in delivery.items {
                let isWritten = isTracked ? item.isWord : item.word?.change(receivedAt: receivedAt) != nil
                let id = isWritten ? ids.popFirst() : nil
                // The sender is not told, and the delivery is kept as a whole.
                let kept = id.map(trial.reused.contains) == true ? "quarantined: " : ""
                let outcome = id.flatMap { trial.outcomes[$0] }.map { kept + $0 }
                items.append(.init(deliveryID: delivery.id, text: item.checked(outcome)))
            }
        }
        return items
    }

    /// What the table says to ignore asks nothing of us either.
    private static func decision(_ taken: [TakenDelivery], _ trial: SourceTrial) -> SourceCheck.Decision {
        let isKept = !trial.quarantined.isEmpty || !trial.reused.isEmpty || taken.contains { !$0.unusable.isEmpty }
        if isKept { return .quarantined }
        return taken.allSatisfy { $0.words.ids.allSatisfy(trial.ignored.contains) } ? .ignored : .stored
    }
}

extension MappedItem {
    /// What the item says and comes to, in an operator's words.
    fileprivate func checked(_ outcome: String?) -> String {
        switch self {
        case .ignored(let reason): return "ignored: \(reason.rawValue)"
        case .unusable(let unusable):
            let place = unusable.place.isEmpty ? "the body" : unusable.place
            return "quarantined: \(place) \(unusable.reason.text)"
        case .word(let word):
            let person = word.ofPerson.map { "person \($0.rawValue)" }
            let membership = word.ofMembership.map { "membership \($0.rawValue)" }
            let place = (word.tenant?.rawValue ?? word.organization).map { " in \($0)" } ?? ""
            let marks = [word.isWeak ? "by an update" : nil, word.isWhole ? "ends a whole list" : nil]
            let told = ([person, membership] + marks).compactMap(\.self).joined(separator: ", ")
            return "\(word.person)\(place): \(told): \(outcome ?? "asks nothing")"
        }
    }
}

extension TakenDelivery.Words {
    /// The events' own ids, in their order.
    fileprivate var ids: [EventID] {
        switch self {
        case .none: []
        case .plain(let delivery): delivery.events.map(\.id)
        case .tracked(let delivery): delivery.events.map(\.id)
        }
    }
}

extension UnusableBody {
    fileprivate var words: String {
        switch self {
        case .notJSON(let reason): "the body \(reason)"
        case .wrongValue(let value): "\(value)"
        case .tenantNotAllowed(let place): "\(place) names a tenant that this source may not speak for"
        }
    }
}
