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
    }

    let key: Key
    let mapping: Mapping
    let proofs: ProofConfiguration
    /// Whether a delivery may have to wait for keys that its sender publishes.
    let takesPublishedKeys: Bool

    /// Nil for the canonical event. Throws where the configuration does not compile, as after a change of the grammar,
    /// and where it would make another kind of source: facts and users would no longer agree.
    init?(_ key: Key, _ text: [UInt8]?) throws(InvalidValue) {
        let terms = try SourceTerms(preset: key.preset, text, tenant: key.tenant, allowed: key.allowed)
        guard case .mapped(let mapping) = terms.form else { return nil }
        guard terms.isTracked == key.isTracked else {
            throw InvalidValue("the configuration", "makes another kind of source")
        }
        self.key = key
        self.mapping = mapping
        self.proofs = terms.proofs
        self.takesPublishedKeys = !terms.proofs.keyAddresses.isEmpty
    }
}
