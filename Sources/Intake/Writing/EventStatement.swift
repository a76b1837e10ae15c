// SPDX-License-Identifier: Apache-2.0
// The one statement behind every 202: events, users and jobs of a batch, together or not at all.

import Foundation
import Model
import Postgres
import Queue

enum EventStatement {
    /// Inserts a batch and answers (event id, outcome, id in the ledger, whether that says the same) per event. The
    /// third is another event's for a delivery known before, and null for one that was committed elsewhere while this
    /// ran.
    ///
    /// Locks, in this order, each in key order: the users that exist (`judged`, primary key), the ledger's unique key
    /// (an equal delivery that is being committed elsewhere is waited for, so a duplicate is told only of what is
    /// durable), the users (upsert), the jobs. A batch of only duplicates locks its users, which writes WAL and so
    /// flushes.
    ///
    /// What an event does is decided against the locked row: an older word of the sender is superseded, a wish that is
    /// fulfilled already is a duplicate, though the newest word on it. A sign-up after a revoke opens the next
    /// generation, if it is newer; when either has no sender's time, the revoke stands. The upsert asks once more, for a
    /// user whom another node has inserted meanwhile. What a revoke closes is closed by `amend`, in the same transaction.
    ///
    /// `places` gives each tenant's first place in the queue for this batch. Every table is entered by key, through a
    /// nested loop; what a statement has made itself is joined by hashed membership (`in` as a value, not a condition).
    ///
    /// Of a delivery with several users each is a row with its place as `item`; a user stands in one row of a statement
    /// only. Nothing is added to a delivery that is known, by another event at its place 0 than `first_id`.
    static func insert(_ rows: [NewEvent], places: [String: Int64]) -> SQL {
        let tenants = places.sorted { $0.key < $1.key }
        return """
            with input as (
                select * from unnest(
                    \(rows.map(\.id)), \(rows.map(\.source)), \(rows.map(\.deliveryID)), \(rows.map(\.tenant)),
                    \(rows.map { $0.change?.user.user.rawValue }), \(rows.map { $0.change?.wanted.rawValue }),
                    \(rows.map { $0.change?.occurredAt }), \(rows.map(\.receivedAt)), \(rows.map(\.item)),
                    \(rows.map { $0.first ?? $0.id }))
                as t (event_id, source_id, delivery_id, tenant_id, user_id, wanted, occurred_at, received_at, item,
                      first_id)),
            judged as materialized (
                select i.*, case
                    when i.user_id is null then 'ignored'
                    when k.user_id is null then 'accepted'
                    when k.wanted = i.wanted then 'duplicate'
                    when i.wanted = 'live' and coalesce(i.occurred_at <= k.occurred_at, true) then 'superseded'
                    when i.wanted = 'gone' and i.occurred_at < k.occurred_at then 'superseded'
                    else 'accepted' end as outcome
                from (select * from input order by tenant_id collate "C", user_id collate "C") i
                left join lateral (
                    select u.user_id, u.wanted, u.occurred_at from dialtone.users u
                    where u.tenant_id = i.tenant_id and u.user_id = i.user_id
                    for no key update of u) k on true),
            stored as (
                insert into dialtone.events (event_id, source_id, delivery_id, item, tenant_id, user_id, wanted, outcome,
                                             occurred_at, received_at)
                select event_id, source_id, delivery_id, item, tenant_id, user_id, wanted, outcome, occurred_at,
                       received_at
                from judged
                where item = 0 or not exists (
                    select 1 from dialtone.events e
                    where e.source_id = judged.source_id and e.delivery_id = judged.delivery_id and e.item = 0
                      and e.event_id <> judged.first_id)
                order by source_id, delivery_id collate "C", item
                on conflict (source_id, delivery_id, item) do nothing
                returning event_id, tenant_id, user_id, wanted, outcome, occurred_at, received_at),
            desired as (
                insert into dialtone.users as u (tenant_id, user_id, wanted, generation, status, occurred_at, received_at)
                select tenant_id, user_id, wanted, 1, case when wanted = 'live' then 'pending' else 'revoked' end,
                       occurred_at, received_at
                from stored where outcome = 'accepted' order by tenant_id, user_id
                on conflict (tenant_id, user_id) do update
                set wanted = excluded.wanted,
                    generation = u.generation + (excluded.wanted = 'live' and u.wanted = 'gone')::int,
                    status = case when u.wanted = excluded.wanted then u.status
                                  when excluded.wanted = 'live' then 'pending' else 'revoking' end,
                    occurred_at = case when u.wanted = excluded.wanted then greatest(u.occurred_at, excluded.occurred_at)
                                       else excluded.occurred_at end,
                    received_at = case when u.wanted = excluded.wanted then u.received_at else excluded.received_at end,
                    ready_at = case when u.wanted = excluded.wanted then u.ready_at end
                where u.wanted = excluded.wanted
                   or case when excluded.wanted = 'live' then coalesce(excluded.occurred_at > u.occurred_at, false)
                      else coalesce(excluded.occurred_at >= u.occurred_at, true) end
                returning u.tenant_id, u.user_id, u.wanted, u.generation, u.status, u.received_at),
            newest as (
                -- Every row exists and is locked, so this only updates. Unlike `update … from`, an upsert cannot be planned
                -- from the other side, as a walk through all users. It reads the newest version of the row.
                insert into dialtone.users as u (tenant_id, user_id, wanted, status, occurred_at, received_at)
                select tenant_id, user_id, wanted, 'pending', occurred_at, received_at
                from stored where outcome = 'duplicate' and occurred_at is not null order by tenant_id, user_id
                on conflict (tenant_id, user_id) do update
                set occurred_at = case when excluded.occurred_at > u.occurred_at then excluded.occurred_at
                                       else u.occurred_at end),
            to_do as (
                select d.tenant_id, d.user_id, d.generation, d.received_at as enqueued_at,
                       p.place + \(FairClock.step)
                           * (row_number() over (partition by d.tenant_id order by d.received_at, d.user_id) - 1) as place
                from desired d join unnest(\(tenants.map(\.key)), \(tenants.map(\.value))) as p (tenant_id, place)
                    using (tenant_id)
                where d.status in ('pending', 'revoking')),
            enqueued as (\(JobQueue.enqueue(from: "to_do")))
            select j.event_id,
                   case when j.event_id not in (select event_id from stored) then 'duplicate'
                        when j.outcome = 'accepted'
                             and (j.tenant_id, j.user_id) not in (select tenant_id, user_id from desired)
                             then 'superseded'
                        else j.outcome end,
                   case when j.event_id in (select event_id from stored) then j.event_id
                        else (select e.event_id from dialtone.events e
                              where e.source_id = j.source_id and e.delivery_id = j.delivery_id and e.item = j.item) end,
                   j.event_id in (select event_id from stored)
                   or (select e.tenant_id = j.tenant_id and e.user_id is not distinct from j.user_id
                              and e.wanted is not distinct from j.wanted
                       from dialtone.events e
                       where e.source_id = j.source_id and e.delivery_id = j.delivery_id and e.item = j.item)
            from judged j
            """
    }

    /// Closes what the revokes among these events must close, behind `insert` in the same transaction; nil when there are
    /// none.
    ///
    /// A statement of its own, because it needs a snapshot that is younger than the locks: `insert` may have waited for a
    /// worker that recorded a credential or buried a job meanwhile, and a statement reads anew only the row it waited for.
    /// A lock before `insert` would not do, for a user whom another node inserts while `insert` waits was not there to be
    /// locked.
    ///
    /// Every credential of a user who is gone becomes `closing`, and those of a rotation may serve no longer. A job that
    /// `insert` has queued takes over the doubt of a job of its generation that was buried meanwhile.
    ///
    /// Locks credentials and jobs, in their users' order, behind the users that `insert` has locked. Enters by events_pkey,
    /// users_pkey, credentials_pkey, jobs_tenant_id_user_id_key and dead_jobs_user. `offset 0` and the upserts hold the
    /// planner to these: a plain join may be turned round, into a walk through a whole table.
    static func amend(_ events: [NewEvent]) -> SQL? {
        let revokes = events.filter { $0.change?.wanted == .gone }.map(\.id)
        guard !revokes.isEmpty else { return nil }
        return """
            with gone as materialized (
                select u.tenant_id, u.user_id, u.generation
                from unnest(\(revokes)) as revoke (event_id)
                cross join lateral (
                    select e.tenant_id, e.user_id, e.outcome from dialtone.events e
                    where e.event_id = revoke.event_id offset 0) e
                cross join lateral (
                    select u.tenant_id, u.user_id, u.generation, u.wanted from dialtone.users u
                    where u.tenant_id = e.tenant_id and u.user_id = e.user_id offset 0) u
                where e.outcome = 'accepted' and u.wanted = 'gone'
                order by u.tenant_id, u.user_id),
            closed as (
                insert into dialtone.credentials as c (
                    tenant_id, user_id, generation, provider_id, name, tag, status, sealed_username, sealed_password,
                    username_index)
                select open.tenant_id, open.user_id, open.generation, open.provider_id, open.name, open.tag, 'closing',
                       open.sealed_username, open.sealed_password, open.username_index
                from gone cross join lateral (
                    select * from dialtone.credentials c
                    where c.tenant_id = gone.tenant_id and c.user_id = gone.user_id offset 0) open
                where open.status = 'active' or open.status = 'closing' and open.close_after is not null
                on conflict (tenant_id, user_id, generation) do update set status = 'closing', close_after = null
                where c.status <> 'deleted')
            insert into dialtone.jobs as j (
                id, tenant_id, user_id, generation, place, run_at, enqueued_at, state, in_doubt, quiet_until)
            select queued.id, gone.tenant_id, gone.user_id, gone.generation, queued.place, queued.run_at, queued.enqueued_at,
                   'in_doubt', buried.maybe_created, buried.quiet_until
            from gone
            cross join lateral (
                select * from dialtone.jobs j
                where j.tenant_id = gone.tenant_id and j.user_id = gone.user_id offset 0) queued
            cross join lateral (
                select d.maybe_created, d.quiet_until from dialtone.dead_jobs d
                where d.tenant_id = gone.tenant_id and d.user_id = gone.user_id and d.generation = gone.generation
                order by d.died_at desc limit 1) buried
            where queued.state = 'queued' and queued.generation = gone.generation
            on conflict (tenant_id, user_id) do update
            set state = 'in_doubt', in_doubt = excluded.in_doubt, quiet_until = excluded.quiet_until
            where j.state = 'queued' and j.generation = excluded.generation
            """
    }

    static func supersede(_ ids: [EventID]) -> SQL {
        "update dialtone.events set outcome = 'superseded' where event_id = any(\(ids)) and outcome = 'accepted'"
    }

    /// The event of a delivery. Index: the ledger's unique key.
    static func known(_ event: NewEvent) -> SQL {
        """
        select event_id, tenant_id = \(event.tenant) and user_id is not distinct from \(event.change?.user.user)
                         and wanted is not distinct from \(event.change?.wanted)
        from dialtone.events
        where source_id = \(event.source) and delivery_id = \(event.deliveryID) and item = \(event.item)
        """
    }
}
