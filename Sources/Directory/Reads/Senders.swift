// SPDX-License-Identifier: Apache-2.0
// Whose sources a statement is about: a tenant's own, or those that several tenants share.

import Model
import Postgres

enum Senders {
    case own(TenantID)
    /// Row-level security shows them to no tenant. Only an operator reads them.
    case shared(TenantID)

    var isShared: Bool { if case .shared = self { true } else { false } }

    /// Id and name of each that may speak for the tenant now. Index sources_slug, whole for the tenant. An organisation
    /// of a tracked source may become the tenant's at any time.
    var select: SQL {
        let mayName: SQL =
            switch self {
            case .own: "true"
            case .shared(let tenant): "(sources.is_tracked or \(tenant) = any(sources.allowed_tenants))"
            }
        return "\(self.withDeleted) and sources.status <> 'deleted' and \(mayName) offset 0"
    }

    /// Id and name of each, and of those that were deleted: their events are still there.
    var withDeleted: SQL {
        switch self {
        case .own(let tenant):
            "select source_id, slug from dialtone.sources where sources.tenant_id = \(tenant)"
        case .shared: "select source_id, slug from dialtone.sources where sources.tenant_id is null"
        }
    }
}
