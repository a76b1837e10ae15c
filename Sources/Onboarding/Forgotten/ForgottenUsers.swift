// SPDX-License-Identifier: Apache-2.0
// Users who are not as wanted and have no job: a walk over all users queues a job for each, a page at a time.

import Postgres
import Queue

/// A promise that lost commits, or a fault, has left without a job. This needs no call to the provider.
enum ForgottenUsers {
    typealias Place = ForgottenDeletes.Place

    /// Queues a job that looks first for each user of the next page who has no job and is not in the wanted state.
    ///
    /// Returns one row: the number of rows on the page, the tenant and the user of its last one, and how many jobs were
    /// queued; no row when the page is empty. A job too many ends by itself. Indexes users_pkey, entered after the last
    /// page, jobs_tenant_id_user_id_key and credentials_pkey.
    static func enqueue(after place: Place) -> SQL {
        """
        with page as materialized (
            select owner.tenant_id, owner.user_id, owner.wanted, owner.generation, owner.status
            from dialtone.users owner
            where (owner.tenant_id, owner.user_id) > (\(place.tenant), \(place.user))
            order by owner.tenant_id, owner.user_id limit \(Self.pageSize)),
        waiting as materialized (
            select page.tenant_id, page.user_id, page.generation from page
            where not exists (select 1 from dialtone.jobs job
                              where job.tenant_id = page.tenant_id and job.user_id = page.user_id offset 0)
              and case when page.wanted = 'live' then \(Self.waitsInVain) else \(Self.isStillThere) end),
        forgotten as materialized (\(Self.held("waiting"))),
        enqueued as (\(JobQueue.enqueue(from: "forgotten", looksFirst: true)) returning jobs.id)
        select count(*) over (), tenant_id, user_id, (select count(*) from enqueued)
        from page order by tenant_id desc, user_id desc limit 1
        """
    }

    /// Locks those of `users` who are still there, by key. It skips only who is being erased, or is locked for that: a
    /// change of the wish does not conflict with this lock. Until this transaction ends, no erasure takes the name from
    /// a user whose job is about to come.
    static func held(_ users: SQL) -> SQL {
        """
        select found.*, \(ServerClock.now) as place, clock_timestamp() as enqueued_at
        from \(users) found cross join lateral (
            select 1 from dialtone.users
            where users.tenant_id = found.tenant_id and users.user_id = found.user_id
            for key share skip locked) owner
        """
    }

    /// Whether the user of row `page`, who should have a credential, has none. A failed one waits for its next try.
    private static let waitsInVain: SQL = """
        page.status <> 'failed'
        and not exists (select 1 from dialtone.credentials
                        where credentials.tenant_id = page.tenant_id and credentials.user_id = page.user_id
                          and credentials.generation = page.generation and \(OpenCredential.condition) offset 0)
        """

    /// Whether something is left of the user of row `page`, who should have nothing.
    private static let isStillThere: SQL = """
        page.status <> 'revoked'
        or exists (select 1 from dialtone.credentials
                   where credentials.tenant_id = page.tenant_id and credentials.user_id = page.user_id
                     and \(OpenCredential.condition) offset 0)
        """

    /// Returns where the next page begins, and how many jobs were queued. After the last page it is the place before
    /// all users.
    static func nextPlace(after rows: PostgresRows) throws -> (place: Place, queued: Int) {
        guard
            let (count, tenant, user, queued) = try rows.first?.decode(
                Int64.self, String.self, String.self, Int64.self)
        else { return (Place(), 0) }
        return (count < Self.pageSize ? Place() : Place(tenant: tenant, user: user), Int(queued))
    }

    private static let pageSize = 1000
}
