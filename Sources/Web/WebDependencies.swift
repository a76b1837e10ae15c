// SPDX-License-Identifier: Apache-2.0
// The parts of the service that the routes use.

package import Access
package import Directory
package import Handoff
package import Intake
package import Model
package import Telemetry

package struct WebDependencies: Sendable {
    package var intake: Intake
    package var handoff: Handoff
    package var queries: Queries
    package var setUp: SetUpReads
    /// Asks the provider whether a user has exactly one credential; nil when there is no such user.
    package var verify: @Sendable (UserKey, Reader) async throws -> Proof?
    package var keys: APIKeys
    /// Whether requests can be served. The reason is for the status listener alone.
    package var isReady: @Sendable () async -> Bool
    package var metrics: Measurements

    package init(
        intake: Intake, handoff: Handoff, queries: Queries, setUp: SetUpReads,
        verify: @escaping @Sendable (UserKey, Reader) async throws -> Proof?, keys: APIKeys,
        isReady: @escaping @Sendable () async -> Bool, metrics: Measurements
    ) {
        self.intake = intake
        self.handoff = handoff
        self.queries = queries
        self.setUp = setUp
        self.verify = verify
        self.keys = keys
        self.isReady = isReady
        self.metrics = metrics
    }
}
