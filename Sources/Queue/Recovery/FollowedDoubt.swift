// SPDX-License-Identifier: Apache-2.0
// A create whose outcome is unknown is written down, so that its name is looked up again after its job has ended.

package import Postgres

/// A row of `doubts` is a generation whose create may land late. It stays until its name was looked up for the last
/// time, whatever becomes of the job.
package enum FollowedDoubt {
    /// `insert into doubts` from the rows of `source` (tenant_id, user_id, generation, tag), which is a part of the
    /// statement that puts the jobs in doubt. Each name is due in five minutes. A new doubt of a name begins anew.
    ///
    /// Locks rows of `doubts` in their users' order, behind the jobs. Index doubts_pkey.
    package static func begin(from source: String) -> SQL {
        """
        insert into dialtone.doubts (tenant_id, user_id, generation, tag, doubted_at, due_at)
        select tenant_id, user_id, generation, tag, clock_timestamp(), clock_timestamp() + interval '5 minutes'
        from \(unsafeText: source) order by tenant_id, user_id
        on conflict (tenant_id, user_id, generation) do update
        set tag = coalesce(excluded.tag, doubts.tag), doubted_at = excluded.doubted_at, due_at = excluded.due_at
        """
    }
}
