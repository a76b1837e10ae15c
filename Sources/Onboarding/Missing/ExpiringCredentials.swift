// SPDX-License-Identifier: Apache-2.0
// Credentials that will end: their users get another one ahead of time, by a rotation that nobody had to ask for.

import Model
import Postgres
import Queue

/// Rotates what will expire, from the ledger alone.
///
/// A credential's last part is its last thirty days, or the last tenth of its life where that is shorter. It is rotated
/// in the first half of that part, at a moment that its id chooses. So a tag that was filled on one day is not replaced
/// on one day, and half of the part is left for what goes wrong.
enum ExpiringCredentials {
    /// Opens the next generation of the users whose credentials are due, and queues their jobs. The present credential
    /// serves until the next one is there, and `overlap` longer. Returns one row: how many there were.
    ///
    /// Users who are changed or worked on at the moment are left for the next turn. The locked row alone decides,
    /// because whatever ends a generation changes it. A tenant's jobs line up a step apart, behind nobody else's. A walk
    /// may insert a job for an older credential meanwhile, without a lock on the user. That job gets the overlap too, so
    /// that it makes the new credential before it deletes the present one.
    ///
    /// Locks users in their order. Indexes credentials_expiring, users_pkey, jobs_tenant_id_user_id_key. Nothing is
    /// rotated while deletes are stopped: the old ones would stay.
    static func rotate(overlap: Duration, limit: Int64) -> SQL {
        """
        with due as materialized (\(Self.due(limit: limit))),
        locked as materialized (
            select due.tenant_id, due.user_id
            from (select * from due order by tenant_id collate "C", user_id collate "C") due
            cross join lateral (
                select users.wanted, users.status, users.generation from dialtone.users
                where users.tenant_id = due.tenant_id and users.user_id = due.user_id
                for no key update skip locked) wish
            where wish.wanted = 'live' and wish.status = 'ready' and wish.generation = due.generation
              and not exists (select 1 from dialtone.jobs
                              where jobs.tenant_id = due.tenant_id and jobs.user_id = due.user_id offset 0)),
        opened as (
            -- The rows exist and are locked, so the upsert only updates.
            insert into dialtone.users (tenant_id, user_id, wanted, status, received_at)
            select tenant_id, user_id, 'live', 'ready', now() from locked
            on conflict (tenant_id, user_id) do update set generation = users.generation + 1
            returning users.tenant_id, users.user_id, users.generation),
        queued as (
            insert into dialtone.jobs (
                id, tenant_id, user_id, generation, place, run_at, enqueued_at, state, overlap)
            select gen_random_uuid(), tenant_id, user_id, generation,
                   \(ServerClock.now) + (row_number() over (partition by tenant_id order by user_id) - 1)
                       * \(FairClock.step),
                   clock_timestamp(), clock_timestamp(), 'queued', \(overlap)
            from opened order by tenant_id, user_id
            on conflict (tenant_id, user_id) do update set overlap = excluded.overlap)
        select count(*) from opened
        """
    }

    /// `part` is the credential's last part. Its id chooses a place in the first half of it.
    private static func due(limit: Int64) -> SQL {
        """
        select credentials.tenant_id, credentials.user_id, credentials.generation
        from dialtone.credentials
        cross join lateral (
            select least(interval '30 days', (credentials.expires_at - credentials.created_at) / 10) as length) part
        where credentials.status = 'active' and credentials.expires_at is not null
          and credentials.expires_at < statement_timestamp() + interval '30 days'
          and credentials.expires_at < statement_timestamp()
              + part.length * (1 - (hashtext(credentials.provider_id) & 1023) / 2048.0)
          and not exists (select 1 from dialtone.incarnation where is_stopped)
        order by credentials.expires_at limit \(limit)
        """
    }
}
