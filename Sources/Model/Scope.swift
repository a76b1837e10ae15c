// SPDX-License-Identifier: Apache-2.0
// The permissions an API key may carry, as they are written in commands, in the table and in errors.

/// One thing an API key may be allowed to do. A reserved scope can be given to a key, and no route asks for it yet.
package enum Scope: String, Sendable, CaseIterable, Comparable {
    /// Read users, their credentials' states and their history.
    case usersRead = "users:read"
    /// Reserved: to retry, revoke, reopen and rotate users.
    case usersWrite = "users:write"
    /// Get login tokens for users.
    case loginTokensCreate = "login-tokens:create"
    /// Read deliveries, the refused ones included.
    case eventsRead = "events:read"
    /// Read jobs and why they wait.
    case jobsRead = "jobs:read"
    /// Read which sources there are; no secret of them.
    case sourcesRead = "sources:read"
    /// Read which API keys there are. `find` shows the id of a key to nobody without it.
    case keysRead = "keys:read"
    /// Reserved: to make sources and rotate their secrets.
    case sourcesWrite = "sources:write"
    /// Reserved: to make and revoke API keys.
    case keysWrite = "keys:write"
    /// Reserved: to read the record of who changed what.
    case auditRead = "audit:read"

    package static func < (lhs: Self, rhs: Self) -> Bool { lhs.rawValue < rhs.rawValue }
}
