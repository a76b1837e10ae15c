// SPDX-License-Identifier: Apache-2.0
// The reasons of a page of users, or of one: read the facts, apply the rules.

import Foundation
package import Model
import Postgres

package struct Reasons: Sendable {
    let reads: TenantReads

    package init(reads: TenantReads) { self.reads = reads }

    /// Returns the reason of each user that there is, by the user's id. One round trip, whatever the number.
    package func why(
        _ users: [UserID], of tenant: TenantID, as reader: Reader
    ) async throws -> [String: Why] {
        // The place in line is a walk of its own, which a page cannot pay for each of its users.
        var statements = [WhySelect.tenant(tenant), WhySelect.facts(users, of: tenant, withRank: users.count == 1)]
        let asksForWorkers = self.reads.workers.isDue()
        if asksForWorkers { statements.append(WhySelect.workers) }
        let rows = try await self.reads.rows(as: reader, statements)
        guard let row = rows[0].first else { return [:] }
        if asksForWorkers { self.reads.workers.see(try rows[2].first?.decode(Bool?.self) ?? nil) }
        var tenantFacts = try WhySelect.readTenant(row)
        tenantFacts.hasWorker = self.reads.workers.seen
        var reasons: [String: Why] = [:]
        for row in rows[1] {
            let (user, facts, now) = try WhySelect.readUser(row)
            reasons[user] = Why.of(facts, tenantFacts, now: now).naming(user, of: tenant)
        }
        return reasons
    }

    /// Returns the reason of one user. For a user who does not exist it says what the tenant's sources have lately
    /// refused.
    package func why(_ user: UserKey, as reader: Reader) async throws -> Why {
        if let known = try await self.why([user.user], of: user.tenant, as: reader)[user.user.rawValue] { return known }
        let rows = try await self.reads.rows(as: reader, [WhySelect.kept(user), Refusals.newest(of: user.tenant)])
        if let row = rows[0].first {
            let (at, reason) = try row.decode(Date.self, String.self)
            return Why(
                .unknown, "is not known yet: what was said cannot be used, and is kept: \(RefusalWords.of(reason))",
                since: at,
                action: "see it, mend the mapping or the settings, and replay: dialtone event list --quarantined")
        }
        guard let row = rows[1].first else {
            return Why(
                .unknown, "is not known: no sign-up was taken in, and nothing was refused in the last 14 days",
                action: "check that the sender delivers to the source's address: dialtone source list")
        }
        let (slug, reason, count, at) = try row.decode(String.self, String.self, Int64.self, Date.self)
        let times = count == 1 ? "once" : "\(count) times"
        return Why(
            .unknown,
            """
            is not known: no sign-up was taken in; it may be among what \(slug) was refused lately, \(times): \
            \(RefusalWords.of(reason))
            """,
            since: at, action: "see what was refused: dialtone event list --refused")
    }
}
