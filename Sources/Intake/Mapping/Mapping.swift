// SPDX-License-Identifier: Apache-2.0
// Delivery → words: reads what a proven request of any sender says, by the source's configuration.
//
// `Configuration` reads one strictly and compiles it into `Grammar`'s values, once. `Evaluation` reads
// requests by them. `Answers` has what the sender must hear. Nothing here asks the database or the network.

package import Model

/// A source's configuration, compiled.
package struct Mapping: Sendable {
    /// Bytes of a body at most, and items of a delivery.
    package static let maximumBytes = 1 << 20
    package static let maximumItems = 10_000

    package let answers: SenderAnswers
    package let handshakes: [Handshake]
    /// The proofs' own grammar, as it was written: a list, of which any is enough. Nil when there is none.
    package let proofs: JSONValue?
    package let keeping: Keeping
    package let tenants: TenantChoice
    let plans: [(when: [Condition], plan: Plan)]
    private let keepsPersonal: Bool

    /// `tenants` is how the source comes to a tenant, where its configuration does not say it. `keepsPersonal` says
    /// whether names and e-mail addresses are read. The error names the place of what is wrong in the configuration.
    package init(
        _ configuration: SourceConfiguration, tenants: TenantChoice? = nil, keepsPersonal: Bool = false
    ) throws(InvalidValue) {
        let section = configuration.section
        let own = try ReadPlan.tenants(section)
        guard let choice = tenants ?? own else {
            throw InvalidValue(
                "/tenant", "is needed: one tenant, several that may be named, or a table of organisations")
        }
        self.tenants = choice
        self.keepsPersonal = keepsPersonal
        self.plans = try configuration.plans(tenants: choice, options: Set(try section.texts("options") ?? []))
        if case .fixed = choice { for (_, plan) in self.plans { try plan.requireSenderOrder() } }
        self.answers = try ReadAnswers.answers(section)
        self.handshakes = try ReadAnswers.handshakes(section)
        self.keeping = try Keeping(section)
        self.proofs = section["proofs"]
        if self.proofs != nil { _ = try section.list("proofs") }
    }

    /// Reads a request whose proof has held. One event that cannot be used never spoils another one.
    package func read(_ request: ProvenRequest) -> MappedRequest {
        var reading = Reading(self.plan(for: request), request, keepsPersonal: self.keepsPersonal, isTraced: false)
        return reading.run()
    }

    /// Reads as `read` does, and tells what each part of the mapping has picked. `showsPersonal` says whether names and
    /// addresses are told, although they may not be kept.
    package func trace(
        _ request: ProvenRequest, showsPersonal: Bool = false
    ) -> (result: MappedRequest, steps: [TraceStep]) {
        var reading = Reading(
            self.plan(for: request), request, keepsPersonal: self.keepsPersonal || showsPersonal, isTraced: true)
        let result = reading.run()
        return (result, reading.steps)
    }

    private func plan(for request: ProvenRequest) -> Plan {
        for (when, plan) in self.plans where Reading.holds(when, headers: request.headers) { return plan }
        return Plan(tenants: self.tenants)
    }

    /// Returns the handshake that a request with this method may be; nil when the source has none.
    package func handshake(_ method: String) -> Handshake? { self.handshakes.first { $0.method == method } }

    /// Whether facts on people and memberships must be kept: a word may name no tenant, or arrival counts and the
    /// database's clock must decide. A source without such words is plain.
    package var isTracked: Bool {
        switch self.tenants {
        case .fixed: false
        case .table: true
        case .allowed: self.plans.contains { $0.plan.mayLackTenant || $0.plan.countsArrival }
        }
    }

    /// Whether some people come without an organisation, and wait for one.
    package var waitsForMembership: Bool {
        if case .fixed = self.tenants { false } else { self.plans.contains { $0.plan.mayLackTenant } }
    }
}

extension Plan {
    /// Whether a word that gives counts as of its arrival when it has no time.
    fileprivate var countsArrival: Bool {
        self.rules.contains { rule in
            guard case .words(let parts) = rule.meaning else { return false }
            return parts.contains { $0.countsArrival && !$0.isTaking }
        }
    }

    /// With a fixed tenant no facts are kept on a person, so no clock but a node's could tell the order.
    fileprivate func requireSenderOrder() throws(InvalidValue) {
        for rule in self.rules {
            guard case .words(let parts) = rule.meaning else { continue }
            guard !parts.contains(where: { $0.countsArrival && $0.person == .live }) else {
                throw InvalidValue(
                    rule.place, #"counts as of its arrival: "order": "arrival" needs "tenant": "table" or "allow""#)
            }
        }
    }

    fileprivate var mayLackTenant: Bool {
        self.rules.contains { rule in
            guard case .words(let parts) = rule.meaning else { return false }
            return parts.contains { part in
                part.membership == nil || (self.takesPersonAlone && part.person != nil) || part.isWhole
                    || part.each?.isOnceIfEmpty == true
            }
        }
    }
}
