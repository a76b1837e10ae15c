// SPDX-License-Identifier: Apache-2.0
// What the ledger says of one user, and of all users of his tenant, as far as a reason follows from it.

package import Foundation
package import Model

/// The facts about one user.
package struct UserFacts: Sendable, Equatable {
    package var wanted: Wanted
    package var status: UserStatus
    package var generation: Generation
    package var receivedAt: Date
    package var readyAt: Date?
    /// When an operator revoked the user; nil: no operator's word stands.
    package var heldAt: Date?
    package var job: Job?
    /// The newest credential that serves.
    package var serving: Serving?
    /// Until when an older credential serves on; nil: none does.
    package var olderServesUntil: Date?
    package var lastDeletedAt: Date?
    /// The source by whose word the user is gone; nil: it is none of the tenant's own.
    package var removedBy: String?
    /// The last call for the job, if it has not succeeded.
    package var lastCall: Call?
    /// A sign-up that came after the revoke and had no time, so that nobody can tell which was later.
    package var unclearSince: Date?

    package struct Job: Sendable, Equatable {
        package var state: JobState
        package var generation: Generation
        package var runAt: Date?
        package var leaseUntil: Date?
        package var quietUntil: Date?
        package var enqueuedAt: Date
        package var attempts: Int32
        /// The stopped scope that it waits for: 'account', 'connection:…' or 'tenant:…'.
        package var waitsFor: String?
        package var isDoubtful: Bool
        /// Why it was given up last, and the provider's words.
        package var reason: String?
        package var words: String?
        /// Queued jobs in front of it, a thousand at most.
        package var ahead: Int64?
    }

    package struct Serving: Sendable, Equatable {
        package var generation: Generation
        package var createdAt: Date
        package var missingSince: Date?
    }

    package struct Call: Sendable, Equatable {
        package var at: Date
        package var httpStatus: Int32?
        package var code: String?
    }
}

/// The facts about all users of a tenant.
package struct TenantFacts: Sendable, Equatable {
    package var isStopped = false
    package var changedAt: Date?
    package var isSeen = true
    /// False: every node that held a lock has lost it. Nil: not known.
    package var hasWorker: Bool?
    package var pausedUntil: Date?
    package var breaker: Breaker?
    /// Creates a second.
    package var rate: Double?

    package init() {}

    package struct Breaker: Sendable, Equatable {
        package enum Scope: String, Sendable { case account, connection, tenant }
        package var scope: Scope
        package var since: Date?
        package var until: Date?
        package var reason: String?
    }
}
