// SPDX-License-Identifier: Apache-2.0
// The operator's calls on the users of a tenant: list them, show one, and change what one has.

import Directory
import Intake
package import Model

extension Administration {
    // MARK: Reading

    /// Returns one page and the start of the next, or with `limit` nil all users.
    package func users(of tenant: TenantID, after: UserID?, limit: Int?) async throws -> (
        lines: [UserLine], next: String?
    ) {
        let page = try await self.userEntries(of: tenant, after: after, limit: limit)
        return (page.users.map(UserLine.init), page.next?.rawValue)
    }

    func userEntries(of tenant: TenantID, after: UserID?, limit: Int?) async throws -> UserPage {
        try await self.withParts { parts in
            guard try await Tenants(pool: parts.pool).show(tenant) != nil else {
                throw SourceError.unknownTenant(tenant)
            }
            let users = Users(pool: parts.pool, vault: parts.vault)
            if let limit { return try await users.list(of: tenant, after: after, limit: limit) }
            var all: [UserEntry] = []
            var next = after
            repeat {
                let page = try await users.list(of: tenant, after: next, limit: 200)
                all += page.users
                next = page.next
            } while next != nil
            return UserPage(users: all, next: nil)
        }
    }

    /// Returns one user and the transitions of its jobs; nil when there is no such user.
    package func user(_ user: UserKey) async throws -> (line: UserLine, timeline: [TimelineLine])? {
        try await self.withParts { parts in
            let users = Users(pool: parts.pool, vault: parts.vault)
            guard let entry = try await users.show(user) else { return nil }
            return (UserLine(entry), try await users.timeline(user).map(TimelineLine.init))
        }
    }

    // MARK: Changing

    /// Takes the user's credential away, at the provider too.
    package func revoke(_ user: UserKey) async throws -> ActionLine {
        ActionLine(user, try await self.withPool { try await UserActions(pool: $0).revoke(user) })
    }

    /// Replaces the user's credential. The old one serves on for `overlap` after the new one is there.
    package func rotate(_ user: UserKey, overlap: Duration?) async throws -> ActionLine {
        let overlap = overlap ?? self.settings.rotationOverlap
        return ActionLine(
            user, try await self.withPool { try await UserActions(pool: $0).rotate(user, overlap: overlap) })
    }

    /// Gives a revoked user a credential again.
    package func reopen(_ user: UserKey) async throws -> ActionLine {
        ActionLine(user, try await self.withPool { try await UserActions(pool: $0).reopen(user) })
    }

    /// Tries again now. The user must have failed, or wait for a later try.
    package func retry(_ user: UserKey) async throws -> ActionLine {
        ActionLine(user, try await self.withPool { try await UserActions(pool: $0).retry(user) })
    }
}
