// SPDX-License-Identifier: Apache-2.0
// The operator's calls on the users of a tenant: list them, show one, and change what one has.

import Directory
import Intake
package import Model

extension Administration {
    // MARK: Reading

    /// Returns one page and the start of the next, or with `limit` nil all users. `status`: only users who stand
    /// there. `after` is the `next` of an earlier page, here or over HTTP; throws `InvalidValue` for any other text.
    package func users(
        of tenant: TenantID, after: String? = nil, limit: Int?, status: UserStatus? = nil
    ) async throws -> (lines: [UserLine], next: String?) {
        let start = try after.map { try UserCursor.user($0, of: tenant, status: status) }
        let page = try await self.userEntries(of: tenant, after: start, limit: limit, status: status)
        return (page.users.map(UserLine.init), page.next?.text)
    }

    func userEntries(
        of tenant: TenantID, after: UserID?, limit: Int?, status: UserStatus? = nil
    ) async throws -> UserPage {
        try await self.withParts { parts in
            guard try await Tenants(pool: parts.pool).show(tenant) != nil else {
                throw SourceError.unknownTenant(tenant)
            }
            let users = Users(pool: parts.pool, vault: parts.vault)
            if let limit { return try await users.list(of: tenant, after: after, limit: limit, status: status) }
            var all: [UserEntry] = []
            var next = after
            repeat {
                let page = try await users.list(of: tenant, after: next, limit: 200, status: status)
                all += page.users
                next = page.next?.user
            } while next != nil
            return UserPage(users: all, next: nil)
        }
    }

    /// Returns one user and the transitions of its jobs; nil when there is no such user.
    package func user(_ user: UserKey) async throws -> (line: UserLine, timeline: [TimelineLine])? {
        try await self.withParts { parts in
            let users = Users(pool: parts.pool, vault: parts.vault)
            guard let life = try await users.life(of: user) else { return nil }
            return (UserLine(life.entry), life.timeline.map(TimelineLine.init))
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

    /// Throws when the user cannot be erased now.
    package func checkErasure(of user: UserKey) async throws {
        try await self.withPool { try await UserErasure(pool: $0).check(user) }
    }

    /// Takes what names the user out of every table.
    package func erase(_ user: UserKey) async throws -> ErasureLine {
        ErasureLine(user.tenant, try await self.withPool { try await UserErasure(pool: $0).erase(user) })
    }

    /// Tries again now. The user must have failed, or wait for a later try.
    package func retry(_ user: UserKey) async throws -> ActionLine {
        ActionLine(user, try await self.withPool { try await UserActions(pool: $0).retry(user) })
    }
}
