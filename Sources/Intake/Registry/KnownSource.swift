// SPDX-License-Identifier: Apache-2.0
// A source as intake needs it for one delivery: how its deliveries are proven and read, and for which tenants.

import Model

struct KnownSource: Sendable {
    enum Reader: Sendable {
        /// The canonical event, which nearly every delivery is. It has a reader of its own, which is the fastest.
        case canonical(StandardWebhooksProof)
        /// Any other sender's. Behind a reference, so that the canonical way copies nothing more.
        case mapped(MappedSource)
        /// An operator has stopped the source: its sender is told to come again.
        case disabled
    }

    let id: SourceID
    /// Nil for a source that serves several tenants.
    let tenant: TenantID?
    /// The tenants that a source without a tenant of its own may name.
    let allowed: Set<TenantID>
    let reader: Reader
    let budget: SourceBudget
    /// Whether its sender makes the secret itself, and only one that was made here is in force.
    let lacksSendersSecret: Bool
    /// Whether the names and addresses of its people are kept.
    let keepsNames: Bool

    var isDisabled: Bool { if case .disabled = self.reader { true } else { false } }

    /// Returns the tenant that a delivery is for; nil when the source may not speak for it. A source bound to one
    /// tenant may leave the name out, and may name no other.
    func tenant(named name: TenantID?) -> TenantID? {
        guard let tenant = self.tenant else { return name.flatMap { self.allowed.contains($0) ? $0 : nil } }
        return name == nil || name == tenant ? tenant : nil
    }
}
