// SPDX-License-Identifier: Apache-2.0
// Credentials to delete that no job would delete: a walk over all of them queues a job for each, a page at a time.

import Postgres
import Queue

/// A result that comes after its job has ended can leave a credential in `closing` behind, which no job would delete.
enum ForgottenDeletes {
    /// Where the walk stands; the first place is before all users.
    struct Place: Sendable {
        var tenant = ""
        var user = ""
    }

    /// Queues a job for each user of the next page who has a credential to delete and no job.
    ///
    /// A million credentials may wait that have their jobs, so one statement reads one page. Returns one row: the
    /// number of rows on the page, and the tenant and the user of its last one; no row when the page is empty. A job
    /// too many ends by itself.
    static func enqueue(after place: Place) -> SQL {
        """
        with page as materialized (
            -- Index credentials_closing, entered at the place where the last page has ended.
            select credential.tenant_id, credential.user_id, credential.generation, credential.close_after
            from dialtone.credentials credential
            where credential.status = 'closing'
              and (credential.tenant_id, credential.user_id) > (\(place.tenant), \(place.user))
            order by credential.tenant_id, credential.user_id limit \(Self.pageSize)),
        forgotten as (
            -- One row per user: the oldest generation that is due. The unique key (tenant_id, user_id) finds the job.
            select distinct on (page.tenant_id, page.user_id) page.tenant_id, page.user_id, page.generation,
                   \(ServerClock.now) as place, clock_timestamp() as enqueued_at
            from page
            where (page.close_after is null or page.close_after <= statement_timestamp())
              and not exists (select 1 from dialtone.jobs job
                              where job.tenant_id = page.tenant_id and job.user_id = page.user_id)
            order by page.tenant_id, page.user_id, page.generation),
        enqueued as (\(JobQueue.enqueue(from: "forgotten")))
        select count(*) over (), tenant_id, user_id from page order by tenant_id desc, user_id desc limit 1
        """
    }

    /// Returns where the next page begins: after this one, or before all users when this page was the last.
    static func nextPlace(after rows: PostgresRows) throws -> Place {
        guard let (count, tenant, user) = try rows.first?.decode(Int64.self, String.self, String.self),
            count >= Self.pageSize
        else { return Place() }
        return Place(tenant: tenant, user: user)
    }

    private static let pageSize = 1000
}
