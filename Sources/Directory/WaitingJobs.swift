// SPDX-License-Identifier: Apache-2.0
// Jobs that wait for a later try are due at once when what they wait for has changed: a rate, or a connection.

package import Model
package import Postgres

package struct WaitingJobs: Sendable {
    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    /// Makes every scheduled job of the connection's tenants due now. Each then takes its turn by the present rate.
    ///
    /// Locks the jobs in the order of tenant and user. Index jobs_scheduled.
    /// The scheduled jobs on one connection, whose rate has changed.
    package func makeDue(connection: String) async throws {
        _ = try await self.pool.query(
            """
            with waiting as materialized (
                select job.id
                from dialtone.jobs job join dialtone.tenants tenant on tenant.tenant_id = job.tenant_id
                where tenant.connection_id = \(connection) and job.state = 'scheduled'
                order by job.tenant_id, job.user_id for no key update of job)
            update dialtone.jobs job set run_at = clock_timestamp()
            from waiting where job.id = waiting.id and job.state = 'scheduled'
            """)
    }

    /// The jobs of one tenant, which has another connection now: those that were set aside, and those that were given up,
    /// which look first. Jobs in hand are due at once when they are put back or given up.
    ///
    /// A page is a transaction of its own, so that no event waits long for a job's row. A statement that is just setting
    /// a job aside may not see the change. `LetGo` queues that job.
    package func makeDue(tenant: TenantID) async throws {
        var last: String? = ""
        while let place = last {
            let rows = try await self.pool.query(Self.page(of: tenant, after: place))
            last = try rows.first?.decode(String?.self) ?? nil
        }
    }

    /// Returns the last user of the page; null when there is none. Locks the jobs in their users' order. Indexes
    /// jobs_tenant_id_user_id_key and jobs_pkey.
    private static func page(of tenant: TenantID, after place: String) -> SQL {
        """
        with waiting as materialized (
            select id, user_id from dialtone.jobs
            where tenant_id = \(tenant) and user_id > \(place) and \(Self.waits)
            order by user_id limit 1000 for no key update),
        moved as (
            update dialtone.jobs job
            set run_at = least(job.run_at, clock_timestamp()), waits_for = null,
                attempts = case when job.state = 'scheduled' then 0 else job.attempts end,
                is_awaited = job.state in ('armed', 'looking')
            from waiting
            where job.id = any(array(select id from waiting)) and job.id = waiting.id and \(Self.waits))
        select max(user_id) from waiting
        """
    }

    /// In this form no partial index of one of the states is entered (`DeadJob.condition`).
    private static let waits: SQL = "(state not in ('scheduled', 'dead', 'armed', 'looking')) is not true"
}
