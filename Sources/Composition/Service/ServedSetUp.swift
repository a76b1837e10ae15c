// SPDX-License-Identifier: Apache-2.0
// The reads behind the routes that show how the installation is set up, each from the room that knows the rows.

import Access
import Directory
import Intake
import ProviderLimits
import Web

extension SetUpReads {
    /// Each read has the time limit of `reads`, and counts for its key.
    init(_ reads: TenantReads, _ parts: NodeParts) {
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
            limits: { onlooker in
                try await ProviderLimits.list { try await reads.rows(for: onlooker, $0) }.map { LimitAnswer($0) }
            }, publicURL: parts.settings.publicURL)
    }
}

extension LimitAnswer {
    fileprivate init(_ limit: ProviderLimit) {
        self.init(
            scope: limit.scope, rate: limit.rate, learnedRate: limit.learnedRate, breaker: limit.breaker,
            reason: limit.reason, waitSeconds: limit.waitSeconds.map { Int($0.rounded(.up)) })
    }
}
