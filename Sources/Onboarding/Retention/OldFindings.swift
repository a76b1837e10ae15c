// SPDX-License-Identifier: Apache-2.0
// What was put right long ago is forgotten, a page at a time.

import Postgres

enum OldFindings {
    /// Forgets what was found last more than `life` ago, the oldest first. Returns one row: how many there were. Skips
    /// locked rows. Index findings_age.
    static func forget(after life: Duration, limit: Int64) -> SQL {
        """
        with due as materialized (
            select findings.ctid as place from dialtone.findings
            where findings.at < statement_timestamp() - \(life)
            order by findings.at limit \(limit)
            for update skip locked),
        gone as (delete from dialtone.findings where ctid = any(array(select place from due)))
        select count(*) from due
        """
    }
}
