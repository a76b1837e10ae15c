// SPDX-License-Identifier: Apache-2.0
// Who is calling the API, and what that caller may do.

/// A caller whose key has been checked.
package struct Caller: Sendable, Equatable {
    package enum Reach: Sendable, Equatable {
        /// An operator of Dialtone: every tenant.
        case allTenants
        /// One tenant. Another tenant's things do not exist for this caller.
        case tenant(TenantID)
    }

    package let keyID: String
    package let reach: Reach
    package let scopes: Set<Scope>

    package init(keyID: String, reach: Reach, scopes: Set<Scope>) {
        self.keyID = keyID
        self.reach = reach
        self.scopes = scopes
    }

    package func may(_ scope: Scope) -> Bool { self.scopes.contains(scope) }

    package func reaches(_ tenant: TenantID) -> Bool {
        switch self.reach {
        case .allTenants: true
        case .tenant(let own): own == tenant
        }
    }
}
