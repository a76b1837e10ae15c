// SPDX-License-Identifier: Apache-2.0
// The statements behind the lists: a page by key, a page by status from the small side, one user, and a timeline.
//
// All of them run as the tenant, so row-level security holds for each table that they read.

import Model
import Postgres

enum UserSelect {
    /// Up to `limit` users after `cursor`, in order of their ids.
    ///
    /// Nearly all users are ready. A page of those who are not begins in `jobs`, which holds few: a dead one for each
    /// user who failed, and another for each who waits. No index may name `users.status`.
    static func page(of tenant: TenantID, after cursor: UserID?, limit: Int, status: UserStatus?) -> SQL {
        let after = cursor?.rawValue ?? ""
        switch status {
        case .failed:
            return Self.page(
                from: """
                    select user_id from dialtone.jobs
                    where tenant_id = \(tenant) and user_id > \(after) and state = 'dead' order by user_id offset 0
                    """, of: tenant, limit: limit, status: .failed)
        case .pending, .revoking:
            return Self.page(
                from: """
                    select user_id from dialtone.jobs
                    where tenant_id = \(tenant) and user_id > \(after) and state <> 'dead' order by user_id offset 0
                    """, of: tenant, limit: limit, status: status)
        case .ready, .revoked, nil:
            return """
                select \(Self.columns) from dialtone.users owner \(Self.serving)
                where owner.tenant_id = \(tenant) and owner.user_id > \(after)
                  and (\(status)::text is null or owner.status = \(status))
                order by owner.user_id limit \(limit)
                """
        }
    }

    static func one(_ user: UserKey) -> SQL {
        """
        select \(Self.columns) from dialtone.users owner \(Self.serving)
        where owner.tenant_id = \(user.tenant) and owner.user_id = \(user.user)
        """
    }

    /// The newest transitions of a user's jobs, newest first. Index job_log_user.
    static func timeline(_ user: UserKey, limit: Int) -> SQL {
        """
        select at, from_state, to_state, generation, epoch, worker, http_status, provider_request_id, error_code
        from dialtone.job_log where tenant_id = \(user.tenant) and user_id = \(user.user)
        order by at desc, epoch desc limit \(limit)
        """
    }

    /// `small` selects user ids in order, each once. It is read only as far as the page needs.
    ///
    /// Enters jobs by jobs_tenant_id_user_id_key or jobs_dead_user, then users and credentials by their primary keys.
    /// Neither subquery can be pulled up (`offset 0`, `limit 1`). So no plan begins with
    /// users, whatever the planner knew when it planned, and the order of `small` is the order of the page.
    private static func page(from small: SQL, of tenant: TenantID, limit: Int, status: UserStatus?) -> SQL {
        """
        select \(Self.columns)
        from (\(small)) small cross join lateral (
            select * from dialtone.users
            where users.tenant_id = \(tenant) and users.user_id = small.user_id and users.status = \(status)
            limit 1) owner
        \(Self.serving)
        order by small.user_id limit \(limit)
        """
    }

    /// What `Users.entry` reads.
    private static let columns: SQL = """
        owner.tenant_id, owner.user_id, owner.status, coalesce(serving.generation, owner.generation),
        owner.received_at, owner.ready_at, serving.provider_id, serving.tag, serving.sealed_username
        """

    /// The credential that serves: the newest active one, or else one that is being closed.
    ///
    /// Enters credentials by their primary key. The inner subquery knows no status and cannot be pulled up, so no plan
    /// can use a partial index.
    private static let serving: SQL = """
        left join lateral (
            select credential.generation, credential.provider_id, credential.tag, credential.sealed_username
            from (
                select * from dialtone.credentials
                where credentials.tenant_id = owner.tenant_id and credentials.user_id = owner.user_id offset 0
            ) credential
            where (credential.status = 'active' or credential.status = 'closing' and owner.wanted = 'gone')
            -- 'active' sorts before 'closing'.
            order by credential.status, credential.generation desc limit 1) serving on true
        """
}
