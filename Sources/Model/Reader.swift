// SPDX-License-Identifier: Apache-2.0
// On whose behalf rows are read: the second wall between tenants stands around this tenant.

/// Who reads. Row-level security shows a reader the rows of its tenant, whatever a statement asks for.
///
/// For a tenant's key it is the key's own tenant. An operator's key and the command line read as the tenant that they
/// name. So a route that forgets to compare the tenant of its path with that of its key still shows nothing.
package struct Reader: Sendable, Hashable {
    package let tenant: TenantID
    /// The id of the caller's key; nil on the command line.
    package let key: String?
    /// Whether the reader is an operator, who may also look at the sources that several tenants share.
    package let seesShared: Bool

    package init(tenant: TenantID, key: String? = nil, seesShared: Bool = false) {
        self.tenant = tenant
        self.key = key
        self.seesShared = seesShared
    }

    /// The reader that a request with this caller's key has, when its path names `tenant`.
    package init(_ caller: Caller, naming tenant: TenantID) {
        switch caller.reach {
        case .tenant(let own): self.init(tenant: own, key: caller.keyID)
        case .allTenants: self.init(tenant: tenant, key: caller.keyID, seesShared: true)
        }
    }
}
