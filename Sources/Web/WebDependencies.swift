// SPDX-License-Identifier: Apache-2.0
// The parts of the service that the routes use.

package import Access
package import Directory
package import Handoff
package import Intake
package import Telemetry

package struct WebDependencies: Sendable {
    package var intake: Intake
    package var handoff: Handoff
    package var users: Users
    package var keys: APIKeys
    /// Whether requests can be served. The reason is for the status listener alone.
    package var isReady: @Sendable () async -> Bool
    package var metrics: Measurements

    package init(
        intake: Intake, handoff: Handoff, users: Users, keys: APIKeys,
        isReady: @escaping @Sendable () async -> Bool, metrics: Measurements
    ) {
        self.intake = intake
        self.handoff = handoff
        self.users = users
        self.keys = keys
        self.isReady = isReady
        self.metrics = metrics
    }
}
