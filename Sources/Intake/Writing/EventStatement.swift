// SPDX-License-Identifier: Apache-2.0
// The statement behind every 202: events, users and jobs of a batch are written together or not at all.

import Foundation
import Model
import Postgres
import Queue

/// The group commit's SQL. A batch is one transaction: `insert`, and `amend` (Amend.swift) when somebody is revoked.
enum EventStatement {
    /// Inserts a batch. Returns per event: its id, the outcome, the id in the ledger, and whether the ledger says the
    /// same.
    ///
    /// The third column is another event's id when the delivery was known before. It is null when another node
    /// committed the delivery while this statement ran; `EventInsert.resultElsewhere` finds it then.
    ///
    /// Locks are taken in this order, each in key order: existing users (`judged`), the ledger's unique key (`stored`),
    /// new users (`desired`), jobs (`enqueued`). A batch of only duplicates locks its users too: that writes WAL, so
    /// its 200 is durable. Every table is entered by key. Rows of the statement's own are joined by `in (select …)` as
    /// a value, which PostgreSQL hashes.
    ///
    /// A user stands in one row at most. `places` gives each tenant's first place in the queue for this batch. A batch
    /// that a mapping has read has a text of its own, so that all others are spared its columns.
    ///
    /// With a settlement the events are in quarantine, by their ids.
    static func insert(
        _ events: [NewEvent], settling settlement: Settlement? = nil, places: [String: Int64]
    ) -> SQL {
        let isMapped =
            settlement != nil || events.contains { $0.isWeak || $0.isByArrival || $0.mappingVersion != nil }
        let stored = settlement == nil ? Self.storedInLedger(isMapped) : MappedRules.settled
        let ended: SQL = settlement.map { ", ended as (\(TrackedOutcome.quarantineEnded(by: $0)))" } ?? ""
        return """
            with input as (\(Self.input(events, isMapped: isMapped))),
            judged as materialized (\(Self.judgedAgainstLockedUsers(isMapped, isSettling: settlement != nil))),
            stored as (\(stored)),
            beginning as materialized (\(Self.firstGenerations(in: "stored where outcome = 'accepted'"))),
            desired as (\(Self.appliedToUsers(isMapped, isSettling: settlement != nil))),
            newest as (\(Self.newestTimeRemembered)),
            to_do as (\(Self.jobsToEnqueue(places))),
            enqueued as (\(JobQueue.enqueue(from: "to_do")))\(ended)
            \(Self.outcomePerEvent(isMapped))
            """
    }

    /// The batch as rows. A delivery with several users has one row per user, numbered by `item`; `first_id` is the
    /// event at item 0.
    private static func input(_ events: [NewEvent], isMapped: Bool) -> SQL {
        let values: SQL =
            isMapped
            ? """
            , \(events.map(\.mappingVersion)), \(events.map(\.isWeak)), \(events.map(\.isByArrival)),
                \(events.map(\.sentID))
            """ : ""
        let names: SQL = isMapped ? ", config_version, is_weak, by_arrival, sent_id" : ""
        return """
            select * from unnest(
                \(events.map(\.id)), \(events.map(\.source)), \(events.map(\.deliveryID)), \(events.map(\.tenant)),
                \(events.map { $0.change.user.user.rawValue }), \(events.map { $0.change.wanted.rawValue }),
                \(events.map { $0.change.occurredAt }), \(events.map(\.receivedAt)), \(events.map(\.item)),
                \(events.map { $0.first ?? $0.id }), \(events.map(\.secret))\(values))
            as t (event_id, source_id, delivery_id, tenant_id, user_id, wanted, occurred_at, received_at, item,
                  first_id, secret_id\(names))
            """
    }

    /// Decides each event against its user's row. Locks the users that exist, in key order. Index users_pkey.
    ///
    /// A wish that is fulfilled already is a duplicate. An older word of the sender is superseded. When either time is
    /// unknown, a revoke stands. Between two sources less than five minutes is a tie, whatever their clocks say, and a
    /// revoke wins ties. What an operator has revoked is lifted by a sign-up from after that alone, with the same five
    /// minutes for the sender's clock.
    private static func judgedAgainstLockedUsers(_ isMapped: Bool, isSettling: Bool) -> SQL {
        let at: SQL = isSettling ? MappedRules.timeOfSettled : "input.occurred_at"
        // An update is no sign-up, so it asks for no other try.
        let hasFailed: SQL = isMapped ? "known.status = 'failed' and not event.is_weak" : "known.status = 'failed'"
        return """
            select event.*, known.held_at, known.told_by, \(hasFailed) as has_failed, case
                when known.user_id is null then 'accepted'
                when known.wanted = event.wanted then 'duplicate'
                when event.wanted = 'live'
                     and (coalesce(event.at <= known.occurred_at + known.margin, true)
                          or event.at <= known.held_at - interval '5 minutes') then 'superseded'
                when event.wanted = 'gone' and event.at < known.occurred_at - known.margin then 'superseded'
                \(isMapped ? MappedRules.weakWordYields : "")
                else 'accepted' end as outcome
            from (select input.*, \(at) as at from input order by tenant_id collate "C", user_id collate "C") event
            left join lateral (
                select users.user_id, users.wanted, users.status, users.occurred_at, users.held_at, users.told_by,
                       case when users.told_by <> event.source_id then interval '5 minutes'
                            else interval '0' end as margin
                from dialtone.users
                where users.tenant_id = event.tenant_id and users.user_id = event.user_id
                for no key update of users) known on true
            """
    }

    /// Writes the ledger of events, by its unique key (source_id, delivery_id, item). An equal delivery that another
    /// node is committing is waited for, so a duplicate is told only of what is durable.
    ///
    /// Nothing is added to a delivery that the ledger knows: its item 0 is another event's then.
    private static func storedInLedger(_ isMapped: Bool) -> SQL {
        let ofMapped: SQL = isMapped ? ", config_version, sent_id" : ""
        return """
            insert into dialtone.events (event_id, source_id, delivery_id, item, tenant_id, user_id, wanted, outcome,
                                         occurred_at, received_at, secret_id, detail\(ofMapped))
            select event_id, source_id, delivery_id, item, tenant_id, user_id, wanted, outcome, occurred_at, received_at,
                   secret_id,
                   case when outcome = 'superseded'
                        then case when held_at is not null then 'held'
                                  when told_by <> source_id then 'other_source' end end\(ofMapped)
            from judged
            where item = 0 or not exists (
                select 1 from dialtone.events
                where events.source_id = judged.source_id and events.delivery_id = judged.delivery_id and events.item = 0
                  and events.event_id <> judged.first_id)
            order by source_id, delivery_id collate "C", item
            on conflict (source_id, delivery_id, item) do nothing
            returning event_id, source_id, tenant_id, user_id, wanted, outcome, occurred_at, received_at
            """
    }

    /// Changes what is wanted of the users. A sign-up after a revoke opens the next generation. Index users_pkey.
    ///
    /// The condition asks once more what `judged` has asked, for a user whom another node has inserted meanwhile.
    private static func appliedToUsers(_ isMapped: Bool, isSettling: Bool) -> SQL {
        let told: SQL = isMapped ? MappedRules.timeTold(isSettling: isSettling) : "occurred_at"
        let time: SQL = isMapped && !isSettling ? MappedRules.timeKept : "excluded.occurred_at"
        let stands: SQL = isMapped && !isSettling ? MappedRules.countsByArrival : "false"
        return """
            insert into dialtone.users (tenant_id, user_id, wanted, generation, status, occurred_at, received_at, told_by,
                                        cause_id)
            select tenant_id, user_id, wanted, \(Self.firstGeneration(of: "stored.tenant_id")),
                   case when wanted = 'live' then 'pending' else 'revoked' end,
                   \(told), received_at, source_id, event_id
            from stored where outcome = 'accepted' order by tenant_id, user_id
            on conflict (tenant_id, user_id) do update
            set wanted = excluded.wanted,
                generation = users.generation + (excluded.wanted = 'live' and users.wanted = 'gone')::int,
                status = case when users.wanted = excluded.wanted then users.status
                              when excluded.wanted = 'live' then 'pending' else 'revoking' end,
                occurred_at = case when users.wanted <> excluded.wanted or \(Self.isNewest) then \(time)
                                   else users.occurred_at end,
                told_by = case when users.wanted <> excluded.wanted or \(Self.isNewest) then excluded.told_by
                               else users.told_by end,
                received_at = case when users.wanted = excluded.wanted then users.received_at else excluded.received_at end,
                ready_at = case when users.wanted = excluded.wanted then users.ready_at end,
                held_at = case when users.wanted = excluded.wanted then users.held_at end,
                wished_by = case when users.wanted = excluded.wanted then users.wished_by end,
                cause_id = case when users.wanted = excluded.wanted then users.cause_id else excluded.cause_id end
            where users.wanted = excluded.wanted
               or case when excluded.wanted = 'live'
                       then coalesce(excluded.occurred_at > users.occurred_at + \(Self.margin), false)
                            and coalesce(excluded.occurred_at > users.held_at - interval '5 minutes', true)
                            \(isMapped ? MappedRules.weakWordYieldsToNewUser : "")
                  else coalesce(excluded.occurred_at >= users.occurred_at - \(Self.margin), true) or \(stands) end
            returning tenant_id, user_id, wanted, generation, status, received_at
            """
    }

    /// How much newer another source's word must be than the one that stands.
    private static let margin: SQL =
        "case when users.told_by <> excluded.told_by then interval '5 minutes' else interval '0' end"

    /// The word says what is wanted already, and takes over the user's time line. A line without a time takes any.
    private static let isNewest: SQL = """
        coalesce(excluded.occurred_at > coalesce(users.occurred_at, '-infinity') + \(Self.margin), false)
        """

    /// A duplicate may be the newest word: its time is remembered, unless the user has none. A word of another source
    /// must be five minutes newer, so that its clock does not become the user's. A sign-up of a user who has failed
    /// asks for another try. Index users_pkey.
    ///
    /// Every row exists and is locked, so this upsert only updates, and 'pending' is a filler. An `update … from` may
    /// be planned from the other side, as a walk through all users. It would also test its condition on the row as it
    /// was when the statement began.
    private static let newestTimeRemembered: SQL = """
        insert into dialtone.users (tenant_id, user_id, wanted, status, occurred_at, received_at, told_by)
        select tenant_id, user_id, wanted, 'pending', occurred_at, received_at, source_id
        from stored
        where outcome = 'duplicate'
          and (occurred_at is not null or event_id in (select event_id from judged where has_failed))
        order by tenant_id, user_id
        on conflict (tenant_id, user_id) do update
        set occurred_at = case when excluded.occurred_at > users.occurred_at + \(Self.margin)
                               then excluded.occurred_at else users.occurred_at end,
            told_by = case when excluded.occurred_at > users.occurred_at + \(Self.margin)
                           then excluded.told_by else users.told_by end,
            status = case when users.status = 'failed' and users.wanted = 'live' then 'pending' else users.status end
        returning tenant_id, user_id, generation, status, received_at
        """

    /// The jobs of this batch, and of users who had failed and are tried again. Each tenant's stand one step of its
    /// line apart.
    private static func jobsToEnqueue(_ places: [String: Int64]) -> SQL {
        let tenants = places.sorted { $0.key < $1.key }
        return """
            select wanting.tenant_id, wanting.user_id, wanting.generation, wanting.received_at as enqueued_at,
                   line.place + \(FairClock.step)
                       * (row_number() over (partition by wanting.tenant_id
                                             order by wanting.received_at, wanting.user_id) - 1) as place
            from (select tenant_id, user_id, generation, status, received_at from desired
                  union all
                  select tenant_id, user_id, generation, status, received_at from newest
                  where (tenant_id, user_id) in (select tenant_id, user_id from judged where has_failed)) wanting
            join unnest(\(tenants.map(\.key)), \(tenants.map(\.value))) as line (tenant_id, place) using (tenant_id)
            where wanting.status in ('pending', 'revoking')
            """
    }

    /// What each event has come to. Index: the ledger's unique key, for events that were known before.
    ///
    /// `offset 0` keeps the planner from asking three times whether an event was stored. A row in quarantine names no user
    /// and says the same as any: it is told as such, and the writer settles it. One that was dropped is a duplicate.
    private static func outcomePerEvent(_ isMapped: Bool) -> SQL {
        // An event whose person was erased is 'ignored' and names nobody.
        let nameless: SQL = isMapped ? "('quarantined', 'ignored')" : "('ignored')"
        let known: SQL = isMapped ? Self.knownOrQuarantined : "'duplicate'"
        return """
            select told.event_id,
                   case when not told.is_stored then \(known)
                        when told.outcome = 'accepted'
                             and (told.tenant_id, told.user_id) not in (select tenant_id, user_id from desired)
                             then 'superseded'
                        else told.outcome end,
                   case when told.is_stored then told.event_id
                        else (select events.event_id from dialtone.events
                              where events.source_id = told.source_id and events.delivery_id = told.delivery_id
                                and events.item = told.item) end,
                   told.is_stored
                   or (select events.outcome in \(nameless) or events.tenant_id = told.tenant_id
                              and events.user_id is not distinct from told.user_id
                              and events.wanted is not distinct from told.wanted
                       from dialtone.events
                       where events.source_id = told.source_id and events.delivery_id = told.delivery_id
                         and events.item = told.item)
            from (select judged.*, judged.event_id in (select event_id from stored) as is_stored
                  from judged offset 0) told
            """
    }
}
