// SPDX-License-Identifier: Apache-2.0
// The operator's calls on the users of a tenant: list them, show one, and change what one has.

import Directory
import Foundation
import Intake
package import Model

extension Administration {
    // MARK: Reading

    /// Returns all users of a tenant.
    func userEntries(of tenant: TenantID) async throws -> [UserEntry] {
        try await Door.database(self.settings).ask { questions, _ in
            var all: [UserEntry] = []
            var next: String?
            repeat {
                let page = try await questions.users(UserList(of: tenant), after: next, limit: 200)
                all += page.data
                next = page.next
            } while next != nil
            return all
        }
    }

    // MARK: Changing

    /// Takes the user's credential away, at the provider too.
    package func revoke(_ user: UserKey) async throws -> ActionLine {
        try await self.act(on: user) { try await $0.revoke(user) }
    }

    /// Replaces the user's credential. The old one serves on for `overlap` after the new one is there.
    package func rotate(_ user: UserKey, overlap: Duration?) async throws -> ActionLine {
        let overlap = overlap ?? self.settings.rotationOverlap
        return try await self.act(on: user) { try await $0.rotate(user, overlap: overlap) }
    }

    /// Gives a revoked user a credential again.
    package func reopen(_ user: UserKey) async throws -> ActionLine {
        try await self.act(on: user) { try await $0.reopen(user) }
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
        try await self.act(on: user) { try await $0.retry(user) }
    }

    /// Each command is a request of its own, and has an id that leads back to it.
    private func act(
        on user: UserKey, _ action: (UserActions) async throws -> UserStatus
    ) async throws -> ActionLine {
        let request = UUID().lowercase
        let status = try await self.withPool { try await action(UserActions(pool: $0, request: request)) }
        return ActionLine(user, status, request: request)
    }
}
