// SPDX-License-Identifier: Apache-2.0
// Tenants with jobs come first: what a claim finds unseen is visited before all other tags.

import Lifecycle
import Model
import Postgres
import Synchronization

/// After a change of the server a create costs a look until its tenant is seen. Visits take tags by their due time, and
/// in a large installation the last one is an hour away. So a claim puts its tenants' unseen tags in front.
final class TagDemand: Sendable {
    /// When each tenant's tags were last put in front. A tenant's jobs come in many claims.
    private let asked = Mutex<[TenantID: ContinuousClock.Instant]>([:])

    /// How often a node asks for one tenant.
    private static let pause: Duration = .seconds(60)

    /// Returns the tenants whose jobs look first, unless they were asked for in the last minute. They count as asked
    /// for from now on.
    func tenants(of jobs: [ClaimedJob], at now: ContinuousClock.Instant) -> [TenantID] {
        let unseen = Set(jobs.filter(\.isUnseen).map(\.user.tenant))
        guard !unseen.isEmpty else { return [] }
        return self.asked.withLock { asked in
            asked = asked.filter { now - $0.value < Self.pause }
            let news = unseen.filter { asked[$0] == nil }
            for tenant in news { asked[tenant] = now }
            return news.sorted()
        }
    }

    /// Makes the unseen tags of these tenants the first that are due. A tag whose last visit failed keeps its pause.
    /// Before the quiet time is over no list gives trust, so nothing changes.
    ///
    /// A tag that somebody holds is skipped: nothing here may keep a claim waiting. Indexes tenant_tags_pkey, entered
    /// by tenant and then by its whole key.
    static func putInFront(_ tenants: [TenantID]) -> SQL {
        """
        with unseen as materialized (
            select tag.tenant_id, tag.shard
            from unnest(\(tenants)) as wanted (tenant_id) cross join dialtone.incarnation cross join lateral (
                select tenant_tags.tenant_id, tenant_tags.shard from dialtone.tenant_tags
                where tenant_tags.tenant_id = wanted.tenant_id
                  and tenant_tags.seen_era is distinct from incarnation.era
                  and tenant_tags.failures = 0 and tenant_tags.due_at > '-infinity'
                order by tenant_tags.shard for no key update skip locked) tag
            where coalesce(incarnation.quiet_until <= statement_timestamp(), true))
        update dialtone.tenant_tags set due_at = '-infinity' from unseen
        where tenant_tags.tenant_id = any(array[unseen.tenant_id]) and tenant_tags.shard = unseen.shard
        """
    }
}

extension OnboardingWorker {
    /// Puts the unseen tags of claimed jobs in front. It is a hint: when it fails, the tags wait in line.
    ///
    /// Cancelled here: the hint is given or not.
    func demandVisits(for jobs: [ClaimedJob]) async {
        let tenants = self.tagDemand.tenants(of: jobs, at: .now)
        guard !tenants.isEmpty else { return }
        _ = try? await self.pool.query(TagDemand.putInFront(tenants))
    }
}
