// SPDX-License-Identifier: Apache-2.0
// A source whose deliveries a mapping reads, as intake has it in memory.

import Model

final class MappedSource: Sendable {
    let id: SourceID
    /// Its name for operators, for the log.
    let slug: String
    /// The tenant that the source belongs to; nil when it serves several.
    let owner: TenantID?
    let budget: SourceBudget
    /// What was compiled, and of which version of the source.
    let compiled: CompiledTerms
    let proof: DeliveryProof

    init(id: SourceID, slug: String, budget: SourceBudget, compiled: CompiledTerms, proof: DeliveryProof) {
        self.id = id
        self.slug = slug
        self.owner = compiled.key.tenant
        self.budget = budget
        self.compiled = compiled
        self.proof = proof
    }

    var mapping: Mapping { self.compiled.mapping }
    var version: Int32 { self.compiled.key.version }
    var isTracked: Bool { self.compiled.key.isTracked }
    /// Whose key seals what is kept of the source: its tenant, or '-'.
    var scope: String { self.owner?.rawValue ?? "-" }
}

/// A configuration is compiled once for each version, and not each time that the source is read.
struct CompiledTerms: Sendable {
    struct Key: Sendable, Equatable {
        let preset: String
        let version: Int32
        let tenant: TenantID?
        let allowed: [TenantID]
        let isTracked: Bool
        var keepsNames = false
        /// Its proofs have come to sign a time, or to sign none: the ledger may have ids in both forms.
        var idsChanged = false
    }

    let key: Key
    let mapping: Mapping
    let proofs: ProofConfiguration
    /// Whether an old delivery is refused by its age alone.
    let signsTime: Bool
    /// Whether a delivery may have to wait for keys that its sender publishes.
    let takesPublishedKeys: Bool
    /// The headers that are kept of what cannot be used.
    let keptHeaders: Set<String>
    /// Whether its sender makes the secret itself.
    let takesSendersSecret: Bool

    /// Nil for the canonical event. Throws where the configuration does not compile, as after a change of the grammar,
    /// and where it would make another kind of source: facts and users would no longer agree.
    init?(_ key: Key, _ text: [UInt8]?) throws(InvalidValue) {
        let terms = try SourceTerms(
            preset: key.preset, text, tenant: key.tenant, allowed: key.allowed, keepsNames: key.keepsNames)
        guard case .mapped(let mapping) = terms.form else { return nil }
        guard terms.isTracked == key.isTracked else {
            throw InvalidValue("the configuration", "makes another kind of source")
        }
        self.key = key
        self.mapping = mapping
        self.proofs = terms.proofs
        self.signsTime = terms.proofs.signsTime
        let secretNames = mapping.keeping.secretMembers.map { $0.lowercased() }
        self.keptHeaders = mapping.readHeaders.subtracting(terms.proofs.secretHeaders).subtracting(secretNames)
        self.takesSendersSecret = terms.setup?.maker == .sender
        self.takesPublishedKeys = !terms.proofs.keyAddresses.isEmpty
    }

    /// Returns the request with no other headers than those that may be kept and shown.
    func withoutProof(_ request: ProvenRequest) -> ProvenRequest {
        let (names, headers) = (self.keptHeaders, request.headers)
        return ProvenRequest(
            headers: { names.contains($0) ? headers($0) : [] }, body: request.body, receivedAt: request.receivedAt,
            provenID: request.provenID, claims: request.claims, readAt: request.readAt)
    }
}
