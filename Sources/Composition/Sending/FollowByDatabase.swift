// SPDX-License-Identifier: Apache-2.0
// Follows a user in the database, with the operator's settings.

import Directory
package import Foundation
package import Model

extension Administration {
    /// Returns when the user stands at `goal`; throws `NotThere` when it does not get there in time.
    package func follow(
        _ user: UserKey, until goal: UserStatus, timeout: Duration, since: Date,
        say: @escaping @Sendable (String) -> Void
    ) async throws {
        try await self.withParts { parts in
            let users = Users(pool: parts.pool, vault: parts.vault)
            try await FollowUser(user: user, goal: goal, timeout: timeout, since: since, say: say).run {
                guard let life = try await users.life(of: user), let status = UserStatus(rawValue: life.entry.status)
                else { return nil }
                let steps = life.timeline.reversed().map {
                    UserLook.Step(at: RFC3339.text($0.at), from: $0.from, to: $0.to, reason: $0.errorCode)
                }
                return UserLook(status: status, steps: steps)
            }
        }
    }
}
