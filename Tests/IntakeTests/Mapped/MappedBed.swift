// SPDX-License-Identifier: Apache-2.0
// Makes a source with a mapping in memory, and what of its requests waits for quarantine.

import Foundation
import Model

@testable import Intake

enum MappedBed {
    /// Any preset is as good. The source belongs to the tenant `acme`.
    static func source(budget: SourceBudget = SourceBudget(rate: 1_000)) throws -> MappedSource {
        let tenant = try TenantID("acme")
        let terms = try SourceTerms(preset: "svix", nil, tenant: tenant, allowed: [])
        let key = CompiledTerms.Key(
            preset: "svix", version: 1, tenant: tenant, allowed: [], isTracked: terms.isTracked)
        guard let compiled = try CompiledTerms(key, nil) else { throw IntakeError.unavailable }
        return MappedSource(
            id: SourceID(rawValue: UUID()), budget: budget, compiled: compiled,
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
