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
        try await Door.database(self.settings).ask { questions, _ in
            try await FollowUser(user: user, goal: goal, timeout: timeout, since: since, say: say).run {
                try await UserLook(user, by: questions)
            }
        }
    }
}
