// SPDX-License-Identifier: Apache-2.0
// A source as intake needs it for one delivery: its proof, and the tenants it may speak for.

import Model

struct KnownSource: Sendable {
    let id: SourceID
    /// Nil for a source that serves several tenants.
    let tenant: TenantID?
    /// The tenants that a source without a tenant of its own may name.
    let allowed: Set<TenantID>
    let proof: StandardWebhooksProof
    let budget: SourceBudget

    /// Returns the tenant that a delivery is for; nil when the source may not speak for it. A source bound to one
    /// tenant may leave the name out, and may name no other.
    func tenant(named name: TenantID?) -> TenantID? {
        guard let tenant = self.tenant else { return name.flatMap { self.allowed.contains($0) ? $0 : nil } }
        return name == nil || name == tenant ? tenant : nil
    }
}
