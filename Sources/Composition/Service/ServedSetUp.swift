// SPDX-License-Identifier: Apache-2.0
// The reads behind the routes that show how the installation is set up, each from the room that knows the rows.

import Access
import Directory
import Intake
import ProviderLimits
import Web

extension SetUpReads {
    /// All of them have the console's connections.
    init(_ reads: TenantReads, _ parts: NodeParts) {
        let limits = ProviderLimits(pool: parts.console)
        self.init(
            sources: { onlooker, tenant, after, limit in
                try await Source.list(of: tenant, after: after, limit: limit) { statement in
                    try await reads.rows(for: onlooker, statement)
                }
            },
            keys: { onlooker, tenant, after, limit in
                try await APIKeyRecord.list(of: tenant, after: after, limit: limit) { statement in
                    try await reads.rows(for: onlooker, statement)
                }
            },
            limits: { try await limits.list().map { LimitAnswer($0) } }, publicURL: parts.settings.publicURL)
    }
}

extension LimitAnswer {
    fileprivate init(_ limit: ProviderLimit) {
        self.init(
            scope: limit.scope, rate: limit.rate, learnedRate: limit.learnedRate, breaker: limit.breaker,
            reason: limit.reason, waitSeconds: limit.waitSeconds.map { Int($0.rounded(.up)) })
    }
}
