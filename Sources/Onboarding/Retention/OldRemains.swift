// SPDX-License-Identifier: Apache-2.0
// What is left of deleted surplus and of erased people goes after its time, a page at a time.

import Postgres

enum OldRemains {
    /// Forgets surplus that the provider has confirmed as deleted more than `life` ago, the oldest first. Returns one
    /// row: how many there were. Skips locked rows. Index surplus_deleted.
    static func forgetSurplus(after life: Duration, limit: Int64) -> SQL {
        """
        with due as materialized (
            select surplus.ctid as place from dialtone.surplus
            where surplus.deleted_at is not null and surplus.deleted_at < statement_timestamp() - \(life)
            order by surplus.deleted_at limit \(limit)
            for update skip locked),
        gone as (delete from dialtone.surplus where ctid = any(array(select place from due)))
        select count(*) from due
        """
    }

    /// Forgets people who were erased more than `life` ago: the user without a name, and the credentials that bore the
    /// person's hash. Returns one row: how many people there were.
    ///
    /// `user erase` alone writes 'erased' into `wished_by`, so a sender's user whose id begins alike is left alone.
    /// Locks users by key, then their credentials, and skips locked users. Indexes users_pkey, entered once for each
    /// tenant, and credentials_pkey; `tenants` is read whole.
    static func forgetErased(after life: Duration, limit: Int64) -> SQL {
        """
        with due as materialized (
            select erased.place, erased.tenant_id, erased.user_id from dialtone.tenants tenant
            cross join lateral (
                select users.ctid as place, users.tenant_id, users.user_id from dialtone.users
                where users.tenant_id = tenant.tenant_id and users.user_id >= 'erased:' and users.user_id < 'erased;'
                  and users.wished_by = 'erased' and users.wanted = 'gone'
                  and users.received_at < statement_timestamp() - \(life)
                order by users.user_id limit \(limit)
                for update of users skip locked) erased
            limit \(limit)),
        closed as materialized (
            select owned.place from due cross join lateral (
                select credentials.ctid as place from dialtone.credentials
                where credentials.tenant_id = due.tenant_id and credentials.user_id = due.user_id
                for update of credentials) owned),
        forgotten as (
            delete from dialtone.credentials where ctid = any(array(select place from closed))),
        gone as (delete from dialtone.users where ctid = any(array(select place from due)))
        select count(*) from due
        """
    }
}
