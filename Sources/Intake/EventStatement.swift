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
    /// generation, if it is newer; when either has no sender's time, the revoke stands. A revoke closes every
    /// generation here: credentials become `closing`, and those of a rotation that may still serve may no longer. The
    /// upsert asks once more, for a user whom another node has inserted meanwhile.
    ///
    /// `newest` has no condition on what may have changed since the statement's snapshot: PostgreSQL would test it on
    /// the old row first and pass over one that `judged` has seen anew, and the newest word would be forgotten.
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
                    \(rows.map { $0.signUp?.user.user.rawValue }), \(rows.map { $0.signUp?.wanted.rawValue }),
                    \(rows.map { $0.signUp?.occurredAt }), \(rows.map(\.receivedAt)), \(rows.map(\.item)),
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
                update dialtone.users u
                set occurred_at = case when s.occurred_at > u.occurred_at then s.occurred_at else u.occurred_at end
                from stored s
                where s.outcome = 'duplicate' and s.occurred_at is not null
                  and u.tenant_id = s.tenant_id and u.user_id = s.user_id),
            closing as (
                update dialtone.credentials c set status = 'closing', close_after = null from desired d
                where d.wanted = 'gone' and c.tenant_id = d.tenant_id and c.user_id = d.user_id
                  and c.status in ('active', 'closing')),
            to_do as (
                select d.tenant_id, d.user_id, d.generation, d.received_at as enqueued_at,
                       p.vt + \(FairClock.step)
                           * (row_number() over (partition by d.tenant_id order by d.received_at, d.user_id) - 1) as vt
                from desired d join unnest(\(tenants.map(\.key)), \(tenants.map(\.value))) as p (tenant_id, vt)
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

    static func supersede(_ ids: [EventID]) -> SQL {
        "update dialtone.events set outcome = 'superseded' where event_id = any(\(ids)) and outcome = 'accepted'"
    }

    /// The event of a delivery. Index: the ledger's unique key.
    static func known(_ event: NewEvent) -> SQL {
        """
        select event_id, tenant_id = \(event.tenant) and user_id is not distinct from \(event.signUp?.user.user)
                         and wanted is not distinct from \(event.signUp?.wanted)
        from dialtone.events
        where source_id = \(event.source) and delivery_id = \(event.deliveryID) and item = \(event.item)
        """
    }
}
