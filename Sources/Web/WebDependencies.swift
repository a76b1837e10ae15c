// SPDX-License-Identifier: Apache-2.0
// The parts of the service that the routes use.

package import Access
package import Directory
package import Handoff
package import Intake

package struct WebDependencies: Sendable {
    package var intake: Intake
    package var handoff: Handoff
    package var users: Users
    package var keys: APIKeys
    /// Returns when requests can be served. Throws the reason when they cannot; a `NotReady` is shown to people.
    package var isReady: @Sendable () async throws -> Void

    package init(
        intake: Intake, handoff: Handoff, users: Users, keys: APIKeys,
        isReady: @escaping @Sendable () async throws -> Void
    ) {
        self.intake = intake
        self.handoff = handoff
        self.users = users
        self.keys = keys
        self.isReady = isReady
    }
}
