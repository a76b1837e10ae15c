// SPDX-License-Identifier: Apache-2.0
// How a credential came to be, when that was not straight: creates, lost answers and looks, counted from the log.

import Model
import Postgres
import Queue

extension Evidence {
    /// Counts what the log has of the generations, and keeps it with the credentials: the counts outlive the log.
    ///
    /// It is a statement of its own behind `record`, so that a credential that was never in doubt pays nothing for it.
    /// It sees the log's last line, which `record` has written.
    ///
    /// There was one create at least, also where the log knows none.
    ///
    /// The users are locked. Indexes credentials_provider_id_key, and job_log_user of each day.
    static func countTries(of rows: [Evidence]) -> SQL {
        """
        with counted as materialized (
            select made.provider_id, line.* from unnest(
                \(rows.map(\.providerID)), \(rows.map(\.user.tenant)), \(rows.map(\.user.user)),
                \(rows.map(\.generation))) as made (provider_id, tenant_id, user_id, generation)
            cross join lateral (
                select \(LoggedTries.counts)
                from dialtone.job_log
                where job_log.tenant_id = made.tenant_id and job_log.user_id = made.user_id
                  and job_log.generation = made.generation offset 0) line)
        update dialtone.credentials
        set creates = greatest(1, counted.creates), answers_lost = counted.answers_lost, looks = counted.looks
        from counted
        where credentials.provider_id = any(\(rows.map(\.providerID)))
          and credentials.provider_id = counted.provider_id
        """
    }
}
