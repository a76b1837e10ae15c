// SPDX-License-Identifier: Apache-2.0
// How long it took until a job whose worker was gone had an end, from the ledger's log of transitions.

import Postgres

/// Milliseconds.
struct Recovery: Encodable {
    var p50: Double
    var p99: Double

    /// Measures how long jobs took to be owned or ended. The time begins when a job's worker was found gone, or its
    /// lease over. `isFound` selects the jobs whose create was found; the others needed a new create.
    static func measure(_ pool: PostgresPool, isFound: Bool) async throws -> Recovery {
        let rows = try await pool.query(
            """
            select coalesce(percentile_cont(0.5) within group (order by took), 0)::float8,
                   coalesce(percentile_cont(0.99) within group (order by took), 0)::float8
            from (select extract(epoch from ended.at - gone.at) * 1000 as took,
                         exists (select 1 from dialtone.job_log armed
                                 where armed.job_id = gone.job_id
                                   and armed.from_state = 'looking' and armed.to_state = 'armed'
                                   and armed.at between gone.at and ended.at) as is_new
                  from dialtone.job_log gone cross join lateral (
                      select min(later.at) as at from dialtone.job_log later
                      where later.tenant_id = gone.tenant_id and later.user_id = gone.user_id and later.at > gone.at
                        and later.to_state in ('owned', 'ended', 'queued')) ended
                  where gone.error_code in ('worker_gone', 'lease_expired') and ended.at is not null) recovery
            where is_new <> \(isFound)
            """)
        guard let (p50, p99) = try rows.first?.decode(Double.self, Double.self) else { return Recovery(p50: 0, p99: 0) }
        return Recovery(p50: p50.rounded(), p99: p99.rounded())
    }
}
