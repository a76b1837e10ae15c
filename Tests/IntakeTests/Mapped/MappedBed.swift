// SPDX-License-Identifier: Apache-2.0
// Makes a source with a mapping in memory, and what of its requests waits for quarantine.

import Foundation
import Model

@testable import Intake

enum MappedBed {
    /// A source of the tenant `acme`. Nil: any preset is as good.
    static func source(
        _ configuration: String? = nil, budget: SourceBudget = SourceBudget(rate: 1_000)
    ) throws -> MappedSource {
        let tenant = try TenantID("acme")
        let preset = configuration == nil ? "svix" : SourceConfiguration.custom
        let text = configuration.map { Array($0.utf8) }
        let terms = try SourceTerms(preset: preset, text, tenant: tenant, allowed: [])
        let key = CompiledTerms.Key(
            preset: preset, version: 1, tenant: tenant, allowed: [], isTracked: terms.isTracked)
        guard let compiled = try CompiledTerms(key, text) else { throw IntakeError.unavailable }
        return MappedSource(
            id: SourceID(rawValue: UUID()), slug: "s", budget: budget, compiled: compiled,
            proof: try DeliveryProof(
                compiled.proofs, secrets: [], keys: JWKSCaches(fetch: Intake.fetchesNoKeys)))
    }

    /// A request without notes, which waits as any other does.
    static func waiting(of source: MappedSource, bytes: Int, id: String = "") -> QuarantineLine.Waiting {
        let request = ProvenRequest(
            headers: { _ in [] }, body: Array(repeating: 32, count: bytes), receivedAt: MappingBed.now, provenID: id)
        return QuarantineLine.Waiting(
            request: QuarantinedRequest(source: source, request: request, secret: nil, notes: []),
            completion: { _ in })
    }
}
