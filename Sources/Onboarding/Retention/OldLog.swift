// SPDX-License-Identifier: Apache-2.0
// Old days of the log of transitions are dropped whole; rows outside a day are deleted by page.

import Postgres

/// The functions stand in migrations/0013_retention.sql: the service owns no table, so it can drop none.
enum OldLog {
    /// Drops the days that ended more than so many days ago, ten at most. Returns one row: how many.
    ///
    /// Locks `job_log` against everything, and waits for that 100 ms at most. Behind a long reader it throws
    /// `lock_not_available` (55P03); the next hour tries again.
    static func dropDays(after days: Int) -> SQL { "select dialtone.drop_job_log_partitions(\(Int32(days)))" }

    /// Deletes the next page of old rows for whose day no partition could be made. Returns one row: how many.
    ///
    /// Reads the default partition, which is empty as a rule, from its beginning. Locked rows are skipped.
    static func forgetRows(after days: Int, limit: Int32) -> SQL {
        "select dialtone.forget_job_log_default(\(Int32(days)), \(limit))"
    }
}
