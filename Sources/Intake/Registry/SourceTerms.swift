// SPDX-License-Identifier: Apache-2.0
// What a source's preset and configuration come to: its proofs, its mapping, and the tenants it may speak for.

import Model

/// Compiled once, when a source is made and when it is first read after a change.
struct SourceTerms: Sendable {
    enum Form: Sendable {
        /// The canonical event, which has a reader of its own.
        case canonical
        case mapped(Mapping)
    }

    let form: Form
    let proofs: ProofConfiguration
    /// The tenant that the source belongs to; nil when it serves several.
    let tenant: TenantID?
    /// The tenants that a source without one of its own may name.
    let allowed: [TenantID]
    /// What an operator is told of the secret; nil: nothing.
    let setup: SourceSetup?

    /// `text` is the source's own configuration, as the operator wrote it; nil: the preset says everything. `keepsNames`:
    /// what people are called is read too. The error names the place of what is wrong.
    init(
        preset: String, _ text: [UInt8]?, tenant: TenantID?, allowed: [TenantID], keepsNames: Bool = false
    ) throws(InvalidValue) {
        guard preset != Self.canonical || text != nil else {
            let setup = try SourceConfiguration(nil, preset: preset).setup
            self.form = .canonical
            self.proofs = .standard
            self.tenant = tenant
            self.allowed = allowed
            self.setup = setup
            return
        }
        let configuration = try SourceConfiguration(text, preset: preset)
        let mapping = try Mapping(
            configuration, tenants: try Self.choice(configuration.ownTenants, tenant: tenant, allowed),
            keepsPersonal: keepsNames)
        guard let proofs = mapping.proofs else { throw InvalidValue("/proofs", "is needed") }
        let read = try Self.proofs(proofs)
        self.form = .mapped(mapping)
        self.setup = configuration.setup
        self.proofs = read
        switch mapping.tenants {
        case .fixed(let name): (self.tenant, self.allowed) = (name, [])
        case .allowed(let names): (self.tenant, self.allowed) = (nil, names.sorted { $0.rawValue < $1.rawValue })
        case .table: (self.tenant, self.allowed) = (tenant, [])
        }
    }

    /// The preset whose sender is the customer's own code.
    static let canonical = "standard"

    /// Whether the source's words go through people and memberships.
    var isTracked: Bool { if case .mapped(let mapping) = self.form { mapping.isTracked } else { false } }

    /// What an operator must still do about the secret of a source of this name; nil: nothing.
    func warning(of slug: String, hasGivenSecret: Bool) -> String? {
        guard self.proofs.needsSecret, !hasGivenSecret, self.setup?.maker == .sender else { return nil }
        let tenant = self.tenant.map { " --tenant \($0)" } ?? ""
        return """
            this sender makes the secret itself, and nothing is proven before you bring it in: dialtone source rotate \
            \(slug)\(tenant) --secret-file FILE --overlap-hours 0
            """
    }

    /// Any of the list is enough.
    static func proofs(_ list: JSONValue) throws(InvalidValue) -> ProofConfiguration {
        if case .array(let proofs) = list, proofs.count == 1 {
            return try ProofConfiguration(proofs[0], at: "/proofs/0")
        }
        return try ProofConfiguration(.object([(key: "any", value: list)]), at: "/proofs")
    }

    /// Nil: as the preset says. A table may belong to one tenant: then it leads to no other.
    private static func choice(
        _ own: TenantChoice?, tenant: TenantID?, _ allowed: [TenantID]
    ) throws(InvalidValue) -> TenantChoice? {
        switch own {
        case nil:
            if let tenant { return .fixed(tenant) }
            return allowed.isEmpty ? nil : .allowed(Set(allowed))
        case .table? where allowed.isEmpty: return own
        case .fixed(let name)? where allowed.isEmpty && (tenant ?? name) == name: return own
        case .allowed(let names)? where tenant == nil && (allowed.isEmpty || Set(allowed) == names): return own
        default: throw InvalidValue("/tenant", "says something else than the source was made with")
        }
    }
}
