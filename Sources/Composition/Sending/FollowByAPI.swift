// SPDX-License-Identifier: Apache-2.0
// Follows a user through the HTTP API, with a key that may read users.

package import Foundation
package import Model

package struct FollowByAPI: Sendable {
    private let address: APIAddress
    private let key: Secret<String>

    package init(at address: APIAddress, key: Secret<String>) {
        self.address = address
        self.key = key
    }

    /// Returns when the user stands at `goal`; throws `NotThere` when it does not get there in time.
    package func run(
        _ user: UserKey, until goal: UserStatus, timeout: Duration, since: Date,
        say: @escaping @Sendable (String) -> Void
    ) async throws {
        try await ServiceAPI.with(self.address, key: self.key) { api in
            let questions = RemoteQuestions(api: api)
            try await FollowUser(user: user, goal: goal, timeout: timeout, since: since, say: say).run {
                try await UserLook(user, by: questions)
            }
        }
    }
}
