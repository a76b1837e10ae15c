// SPDX-License-Identifier: Apache-2.0
// What a buried job leaves to whoever takes up its generation again: whether its create may have landed.

package import Postgres

package enum DeadJobs {
    /// The newest buried job of the generation in row `of` (tenant_id, user_id, generation). Index dead_jobs_user.
    package static func newest(of row: String) -> SQL {
        """
        select dead_jobs.maybe_created, dead_jobs.quiet_until from dialtone.dead_jobs
        where dead_jobs.tenant_id = \(unsafeText: row).tenant_id and dead_jobs.user_id = \(unsafeText: row).user_id
          and dead_jobs.generation = \(unsafeText: row).generation
        order by dead_jobs.died_at desc limit 1
        """
    }
}
