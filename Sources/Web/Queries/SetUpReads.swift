// SPDX-License-Identifier: Apache-2.0
// What the routes read of how an installation is set up. Other rooms know the rows, so each read is handed in.

package import Access
package import Directory
package import Intake
package import Model

package struct SetUpReads: Sendable {
    /// Returns sources, as many as the number says, behind that place. The tenant: nil for those of all.
    package var sources: @Sendable (Onlooker, TenantID?, Source.Place?, Int) async throws -> [Source]
    /// Returns API keys, as many as the number says, behind that key's id. The tenant: nil for those of all.
    package var keys: @Sendable (Onlooker, TenantID?, String?, Int) async throws -> [APIKeyRecord]
    package var limits: @Sendable (Onlooker) async throws -> [LimitAnswer]
    /// Where senders reach the service; nil: nobody has said it.
    package var publicURL: String?

    package init(
        sources: @escaping @Sendable (Onlooker, TenantID?, Source.Place?, Int) async throws -> [Source],
        keys: @escaping @Sendable (Onlooker, TenantID?, String?, Int) async throws -> [APIKeyRecord],
        limits: @escaping @Sendable (Onlooker) async throws -> [LimitAnswer], publicURL: String?
    ) {
        self.sources = sources
        self.keys = keys
        self.limits = limits
        self.publicURL = publicURL
    }
}
