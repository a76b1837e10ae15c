// SPDX-License-Identifier: Apache-2.0
// The operator's calls on the limits that hold creates back: show them, and set one tenant's rate.

import Directory
import Intake
package import Model
import ProviderLimits

extension Administration {
    /// Returns each scope that has a rate, a pause, or a breaker that is not closed.
    package func limits() async throws -> [LimitLine] {
        try await self.withPool { try await ProviderLimits(pool: $0).list() }.map { LimitLine($0) }
    }

    /// Sets the creates per second of a tenant's connection, for all nodes together; nil for no limit.
    ///
    /// Jobs that wait for their turn by the old rate are due at once, and take a turn by the new rate.
    package func setRate(_ rate: Double?, of tenant: TenantID) async throws -> LimitLine {
        try await self.withPool { pool in
            guard let tenant = try await Tenants(pool: pool).show(tenant) else {
                throw SourceError.unknownTenant(tenant)
            }
            try await ProviderLimits(pool: pool).setRate(rate, for: .connection(tenant.connectionID))
            try await WaitingJobs(pool: pool).makeDue(connection: tenant.connectionID)
            return LimitLine(connection: tenant.connectionID, rate: rate)
        }
    }
}
