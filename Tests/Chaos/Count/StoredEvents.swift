// SPDX-License-Identifier: Apache-2.0
// The whole story of a user who is not as wanted, as stored. The database is gone when the run has ended.

import Postgres

enum StoredEvents {
    /// Tells the events of these users and every step of their jobs, in the order of time. Ten users are told at most.
    static func tell(_ users: [String], _ pool: PostgresPool) async throws {
        for user in users.prefix(10) {
            let lines = try await pool.query(
                """
                select concat_ws(' ', line.at, line.what) from (
                    select received_at as at,
                           concat_ws(' ', 'event', coalesce(sent_id, delivery_id), wanted, 'occurred', occurred_at,
                                     outcome) as what
                    from dialtone.events where user_id = \(user)
                    union all
                    select at, concat_ws(' ', 'generation', generation, from_state, to_state, 'epoch', epoch, worker,
                                         http_status, error_code)
                    from dialtone.job_log where user_id = \(user)
                    union all
                    select created_at, concat_ws(' ', 'credential', generation, provider_id, tag, status, deleted_at)
                    from dialtone.credentials where user_id = \(user)
                    union all
                    select found_at, concat_ws(' ', 'surplus', generation, provider_id, tag, 'deleted', deleted_at)
                    from dialtone.surplus where user_id = \(user)
                    union all
                    select run_at, concat_ws(' ', 'job', generation, state, 'deaths', deaths, reason)
                    from dialtone.jobs where user_id = \(user)
                    union all
                    select 'infinity', concat_ws(' ', wanted, status, 'generation', generation, 'occurred', occurred_at)
                    from dialtone.users where user_id = \(user)) line
                order by line.at
                """
            ).map { try $0.decode(String.self) }
            DialtoneChaos.tell("\(user):\n  " + lines.joined(separator: "\n  "))
        }
    }
}
