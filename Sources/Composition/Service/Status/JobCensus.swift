// SPDX-License-Identifier: Apache-2.0
// Counts the jobs that are left, for the metrics: now and then, and by index, so that no scrape waits for the database.

import Model
package import Postgres
import Telemetry

/// Sets `dialtone_jobs` and `dialtone_oldest_job_age_seconds`.
package struct JobCensus: Sendable {
    private static let interval: Duration = .seconds(5)

    let pool: PostgresPool
    let metrics: Measurements

    /// Counts until the task is cancelled. While the database does not answer nobody knows: the metrics are NaN.
    func run() async {
        while !Task.isCancelled {
            do {
                try await self.count()
            } catch {
                for state in JobState.allCases { self.set(state, count: .nan, age: .nan) }
            }
            try? await Task.sleep(for: Self.interval * Double.random(in: 0.9..<1.1))
        }
    }

    private func count() async throws {
        let rows = try await self.pool.withTransaction { connection in
            _ = try await connection.query(Self.settings)
            return try await connection.query(Self.statement)
        }
        var found: [JobState: (count: Int64, age: Duration)] = [:]
        for row in rows {
            var columns = row.columns
            let state: JobState = try columns.next()
            let count: Int64 = try columns.next()
            let age: Duration = try columns.next()
            found[state] = (count: count, age: age)
        }
        for state in JobState.allCases {
            let line = found[state] ?? (count: 0, age: .zero)
            self.set(state, count: Double(line.count), age: max(0, line.age / .seconds(1)))
        }
    }

    private func set(_ state: JobState, count: Double, age: Double) {
        self.metrics.jobs.set(state, count)
        self.metrics.oldestJobAge.set(state, age)
    }

    /// For the transaction of `statement`. Each index is walked in its own order, so that the limit ends the walk: a
    /// bitmap or a sort would read every job first. An index entry of a job that is done costs time too while an old
    /// snapshot keeps it, so there is a time limit.
    package static let settings: SQL = """
        select set_config('statement_timeout', '1s', true), set_config('enable_seqscan', 'off', true),
               set_config('enable_bitmapscan', 'off', true), set_config('enable_sort', 'off', true)
        """

    /// State, jobs and the age of the oldest of them. Each part enters the index of its state at one end and leaves it
    /// after 10,001 jobs, so a longer line shows as one more than 10,000: jobs_queued, jobs_scheduled, jobs_in_doubt,
    /// jobs_leased, jobs_dead.
    package static let statement: SQL = """
        select state, count(*), clock_timestamp() - min(enqueued_at) from (
            (select state, enqueued_at from dialtone.jobs where state = 'queued' and place >= 0
             order by place limit 10001)
            union all
            (select state, enqueued_at from dialtone.jobs where state = 'scheduled' and run_at >= '-infinity'
             order by run_at limit 10001)
            union all
            (select state, enqueued_at from dialtone.jobs where state = 'in_doubt' and run_at >= '-infinity'
             order by run_at limit 10001)
            union all
            (select state, enqueued_at from dialtone.jobs
             where state in ('armed', 'looking') and lease_until >= '-infinity'
             order by lease_until limit 10001)
            union all
            (select state, enqueued_at from dialtone.jobs where state = 'dead' and run_at >= '-infinity'
             order by run_at limit 10001)) waiting
        group by state
        """
}
