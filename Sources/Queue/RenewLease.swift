// SPDX-License-Identifier: Apache-2.0
// A look has proven that nothing exists: the job gets a new epoch and lease, written before the create is sent.

import Model
package import Postgres

extension Lease {
    /// Arms the job for a create. Returns the new epoch, or no row when the job was taken away. Index jobs_pkey.
    ///
    /// `era` is that of the claim. Another one may have lost what was claimed since, so nothing is armed in it. `look` is how long the
    /// look took.
    package func renewed(lease: Duration, landingTime: Duration, era: Int64? = nil, look: Trace = Trace()) -> SQL {
        let isSameServer: SQL = era.map { KnownServer.isOf(era: $0) } ?? "true"
        return """
            with armed as (
                update dialtone.jobs
                set state = 'armed', epoch = epoch + 1, failures = 0,
                    lease_until = clock_timestamp() + \(lease),
                    quiet_until = clock_timestamp() + \(lease + landingTime)
                where \(self.holdsJob) and \(isSameServer)
                returning id, tenant_id, user_id, generation, epoch, worker),
            logged as (
                insert into dialtone.job_log (
                    job_id, tenant_id, user_id, generation, from_state, to_state, epoch, worker, call_ms, waited_ms)
                select id, tenant_id, user_id, generation, 'looking', 'armed', epoch, worker,
                       \(look.callMilliseconds), \(look.waitedMilliseconds)
                from armed)
            select epoch from armed
            """
    }
}
