// SPDX-License-Identifier: Apache-2.0
// The ledger's side of the walk: what may still come into it.

import Model
import Postgres

enum WalkStatements {
    /// Reads the generations that a job or a doubt may still bring into the ledger. It is asked only when a page shows
    /// something unknown, which is seldom. Jobs in the queue have sent nothing.
    static let underWay: SQL = """
        select tenant_id, user_id, generation from dialtone.jobs where state <> 'queued'
        union
        select tenant_id, user_id, generation from dialtone.doubts
        """
}
