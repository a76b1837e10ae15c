// SPDX-License-Identifier: Apache-2.0
// The jobs that wait for a later try on one connection: a new rate of the connection makes them due at once.

package import Postgres

package struct WaitingJobs: Sendable {
    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    /// Makes every scheduled job of the connection's tenants due now. Each then takes its turn by the present rate.
    ///
    /// Locks the jobs in the order of tenant and user. Index jobs_scheduled.
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
}
