// SPDX-License-Identifier: Apache-2.0
// What a source would make of a delivery: each part of its mapping, and each item. Nothing is stored.

package import Foundation
import Logging
package import Model
import Postgres

package struct SourceCheck: Sendable {
    package struct Item: Sendable {
        package let deliveryID: String
        /// Such as "provision u-1 in acme"; or why there is nothing to do.
        package let text: String
    }

    /// Why the sender is not proven; nil: it is.
    package let refusal: String?
    package let steps: [TraceStep]
    package let items: [Item]
}

extension SourceRegistry {
    /// Checks a delivery as if it had come at `now`. What cannot be proven is read all the same, so that an operator
    /// finds both mistakes. Published keys are not fetched.
    package func check(
        _ body: [UInt8], headers: [(name: String, value: String)], slug: String, tenant: TenantID?, now: Date
    ) async throws -> SourceCheck {
        let made = try await self.find(slug, tenant?.rawValue ?? "-")
        let cache = SourceCache(
            known: self.pool, lookUps: self.pool, shares: PoolShares(), vault: self.vault,
            budgets: SourceBudgets(rate: 1, logger: Logger(label: "check") { _ in SwiftLogNoOpLogHandler() }),
            published: JWKSCaches(fetch: Intake.fetchesNoKeys))
        let source = try await cache.source(for: made.hookID, now: now)
        let values: @Sendable (String) -> [String] = { name in
            headers.filter { $0.name.lowercased() == name }.map(\.value)
        }
        let delivery = Delivery(hook: made.hookID, headers: values, body: body, receivedAt: now)
        switch source.reader {
        case .canonical(let proof): return Self.check(delivery, by: proof)
        case .mapped(let mapped): return Self.check(delivery, from: mapped)
        }
    }

    private static func check(_ delivery: Delivery, by proof: StandardWebhooksProof) -> SourceCheck {
        var refusal: String?
        var id = ""
        do {
            id = try proof.prove(delivery.headers, delivery.body, delivery.receivedAt).deliveryID ?? ""
        } catch {
            refusal = error.reason
        }
        do {
            guard case .changes(let requests, let wanted, _) = try CanonicalEvent.read(delivery.body) else {
                return SourceCheck(
                    refusal: refusal, steps: [], items: [.init(deliveryID: id, text: "ignored: unrelated")])
            }
            let verb = wanted == .live ? "provision" : "revoke"
            let items = requests.map { request in
                let place = request.tenant.map { " in \($0)" } ?? ""
                return SourceCheck.Item(deliveryID: id, text: "\(verb) \(request.user)\(place)")
            }
            return SourceCheck(refusal: refusal, steps: [], items: items)
        } catch {
            return SourceCheck(refusal: refusal, steps: [], items: [.init(deliveryID: id, text: "refused: \(error)")])
        }
    }

    private static func check(_ delivery: Delivery, from source: MappedSource) -> SourceCheck {
        var refusal: String?
        var proven = Proven()
        do { proven = try MappedIntake.proven(delivery, from: source) } catch {
            if case .badProof(let failure) = error {
                refusal = failure.reason
            } else {
                refusal = "the keys are not here"
            }
        }
        let (mapped, steps) = source.mapping.trace(
            ProvenRequest(
                headers: delivery.headers, body: delivery.body, receivedAt: delivery.receivedAt,
                provenID: proven.deliveryID, claims: proven.claims),
            showsPersonal: true)
        let items = mapped.deliveries.flatMap { one in
            one.items.map { SourceCheck.Item(deliveryID: one.id, text: $0.checked) }
        }
        return SourceCheck(refusal: refusal, steps: steps, items: items)
    }
}

extension MappedItem {
    /// What the item would do, in an operator's words.
    fileprivate var checked: String {
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
            return "\(word.person)\(place): \(told)"
        }
    }
}
