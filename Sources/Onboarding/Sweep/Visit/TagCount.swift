// SPDX-License-Identifier: Apache-2.0
// The count: one call says how many credentials a tag holds, and shows one of them as a sample.

import Foundation
import Model
import Postgres
import Telnyx

/// What the ledger expects of a tag when it is counted.
struct TagState: Sendable {
    /// Credentials that are not deleted, and open surplus.
    var expected: Int
    /// Whether nothing is on its way there that the provider may or may not show.
    var isQuiet: Bool
    /// Whether the ledger has the sample, as a credential or as surplus.
    var isSampleKnown: Bool
}

extension TagVisit {
    enum Count { case agrees, differs, notQuiet }

    /// Asks for the total and one random credential. The call comes first and the ledger is read after it, so that what
    /// is on its way has a row. A total that agrees proves nothing; one that differs is a reason to list.
    func count(_ before: TagState, _ calls: inout VisitCalls) async throws -> Count {
        try await self.sweep.prepareCall(&calls)
        let there = max(1, before.expected + self.tag.others)
        let place = min(there, 1 + Int(Double(there) * self.sweep.random()))
        let page = try await self.sweep.provider.list(ListQuery(tag: self.tag.tag, pageSize: 1), page: place)
        let sample = page.credentials.first
        let after = try await self.state(sample?.id)
        guard after.isQuiet else { return .notQuiet }
        guard page.totalResults == after.expected + self.tag.others else { return .differs }
        guard let sample, self.sweep.names.isOurs(sample.name ?? "") else { return .agrees }
        return after.isSampleKnown && !sample.expired ? .agrees : .differs
    }

    /// Reads what is expected of the tag now.
    func state(_ sample: ProviderID? = nil) async throws -> TagState {
        let row = try await self.sweep.pool.query(
            Self.state(of: self.tag, sample, landingTime: self.sweep.landingTime)
        ).first
        guard let row else { return TagState(expected: 0, isQuiet: true, isSampleKnown: false) }
        let (expected, isQuiet, isSampleKnown) = try row.decode(Int64.self, Bool.self, Bool.self)
        return TagState(expected: Int(expected), isQuiet: isQuiet, isSampleKnown: isSampleKnown)
    }

    /// A doubtful job that waits does not make its tag busy: only an armed or a looking one does, and one whose create
    /// may still land.
    ///
    /// Indexes credentials_tag, surplus_tag, jobs_tag, tenant_tags_pkey; the sample by credentials_provider_id_key and
    /// surplus_pkey.
    static func state(of tag: DueTag, _ sample: ProviderID?, landingTime: Duration) -> SQL {
        """
        with young as (select clock_timestamp() - \(landingTime) as since),
        credential as (
            select count(*) as number, max(created_at) as newest from dialtone.credentials
            where tag = \(tag.tag) and status <> 'deleted'),
        surplus as (
            select count(*) as number, max(found_at) as newest from dialtone.surplus
            where surplus.tag = \(tag.tag) and deleted_at is null
              and not exists (select 1 from dialtone.credentials
                              where credentials.provider_id = surplus.provider_id offset 0))
        select credential.number + surplus.number,
               coalesce(greatest(credential.newest, surplus.newest) < young.since, true)
               and not exists (select 1 from dialtone.tenant_tags
                               where tenant_id = \(tag.tenant) and shard = \(tag.shard) and changed_at >= young.since)
               and not exists (select 1 from dialtone.jobs
                               where jobs.tag = \(tag.tag)
                                 and (state in ('armed', 'looking') or quiet_until > clock_timestamp())),
               -- `offset 0` keeps the partial indexes out, whose predicates these conditions are.
               exists (select 1 from (select status from dialtone.credentials where provider_id = \(sample) offset 0) c
                       where c.status <> 'deleted')
               or exists (select 1 from (select deleted_at from dialtone.surplus
                                         where provider_id = \(sample) offset 0) s where s.deleted_at is null)
        from credential, surplus, young
        """
    }
}
