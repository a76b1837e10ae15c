// SPDX-License-Identifier: Apache-2.0
// The credentials that a rotation replaces close when its own is recorded.

import Postgres

extension Evidence {
    /// The older generations of a rotation serve for the overlap, and then close. Index credentials_pkey. The rows
    /// exist, so the upsert only updates.
    static let olderGenerationsClosing: SQL = """
        insert into dialtone.credentials (
            tenant_id, user_id, generation, provider_id, name, tag, status, sealed_username, sealed_password,
            username_index, close_after)
        select distinct on (older.provider_id)
               older.tenant_id, older.user_id, older.generation, older.provider_id, older.name, older.tag, 'closing',
               older.sealed_username, older.sealed_password, older.username_index, clock_timestamp() + done.overlap
        from done cross join lateral (
            select * from dialtone.credentials
            where credentials.tenant_id = done.tenant_id and credentials.user_id = done.user_id offset 0) older
        where done.has_others and older.generation < done.generation and older.status = 'active'
        on conflict (tenant_id, user_id, generation) do update
        set status = 'closing', close_after = excluded.close_after
        where credentials.status = 'active'
        """
}
