// SPDX-License-Identifier: Apache-2.0
// The log of every transition of every job, for those that no worker's call has led to.

package import Postgres

package enum JobLog {
    /// What `write` needs of a changed row of `dialtone.jobs`, beside `from_state`.
    package static let changedJob: SQL =
        "jobs.id, jobs.tenant_id, jobs.user_id, jobs.generation, jobs.state as to_state, jobs.epoch"

    /// `insert into job_log` from the rows of `source`.
    package static func write(from source: String) -> SQL {
        """
        insert into dialtone.job_log (job_id, tenant_id, user_id, generation, from_state, to_state, epoch)
        select id, tenant_id, user_id, generation, from_state, to_state, epoch from \(unsafeText: source)
        """
    }
}
