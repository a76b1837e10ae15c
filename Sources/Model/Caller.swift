// SPDX-License-Identifier: Apache-2.0
// Who is calling the API, and what that caller may do.

/// One thing an API key may be allowed to do.
package enum Scope: String, Sendable, CaseIterable, Comparable {
    case usersRead = "users:read"
    case usersWrite = "users:write"
    case loginTokensCreate = "login-tokens:create"
    case eventsRead = "events:read"
    case jobsRead = "jobs:read"
    case sourcesWrite = "sources:write"
    case keysWrite = "keys:write"
    case auditRead = "audit:read"

    package static func < (lhs: Self, rhs: Self) -> Bool { lhs.rawValue < rhs.rawValue }
}

/// A caller whose key has been checked.
package struct Caller: Sendable, Equatable {
    package enum Reach: Sendable, Equatable {
        /// Dialtone's operator: every tenant.
        case allTenants
        /// One tenant; another tenant's things do not exist for it.
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
