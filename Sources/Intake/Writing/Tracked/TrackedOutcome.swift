// SPDX-License-Identifier: Apache-2.0
// What each word has come to: the outcome and its reason, the row in the ledger, and the answer to the sender.

import Postgres

enum TrackedOutcome {
    /// One row for each word. The order of the cases is the order of the decision table in docs/data.md.
    ///
    /// `waits`: the person is there, and no membership counts. Index memberships_pkey.
    ///
    /// What speaks of the person or a whole list too is told in any case. Its membership is unmapped, also where
    /// quarantine is full.
    static let told: SQL = """
        select word.*,
               case when is_passed then 'ignored'
                    when is_unmapped then 'quarantined'
                    when changes or waits then 'accepted'
                    when is_held or is_others then 'superseded'
                    when is_member_news and membership_word is distinct from member_state
                         or membership_word = 'invited' and member_state is null
                         or is_person_news and case person_word when 'deleted' then ended_at is distinct from ended_then
                                               else person_word <> state end then 'accepted'
                    when membership_word = 'live' and (at <= ended_at or at < listed_at)
                         or membership_word is null and person_word = 'live' and at <= ended_at then 'superseded'
                    when is_member_news or is_person_news or is_list_news or binds
                         or membership_word = member_state and at = member_told
                         or membership_word is null and person_word = state
                         or membership_word = 'invited' then 'duplicate'
                    else 'superseded' end as outcome,
               case when is_passed then case when is_not_kept then 'unmapped' end
                    when is_unmapped then 'unmapped'
                    when waits then 'waits'
                    when changes then null
                    when is_held then 'held'
                    when is_others then 'other_source'
                    when membership_word = 'invited' and member_state is null then 'invited'
                    when state_then = 'suspended' and membership_word = 'live' and is_member_news
                        then 'suspended' end as detail
        from (select due.*,
                     coalesce(membership_word <> 'invited' and target is null and not is_ignored
                              and (keeps_unmapped or person_word is not null or is_whole), false) as is_unmapped,
                     coalesce(case when person_word = 'live' and membership_word is null and waits_until is null
                                        and coalesce(at > ended_at, true) and state_then = 'live'
                              then not exists (
                                  select 1 from dialtone.memberships
                                  where memberships.source_id = due.source_id
                                    and memberships.external_user = due.person and memberships.state = 'live'
                                    and (due.ended_at is null or memberships.told_at > due.ended_at)
                                    and (due.listed_at is null or memberships.told_at >= due.listed_at)) end,
                              false) as waits
              from due where number = 1) word
        """

    /// Writes the ledger of events, as `EventStatement` does. A quarantined row names no user, and a row without a
    /// tenant names its source's, or '-'.
    ///
    /// Where arrival counts, a quarantined row has the time of its arrival. Its note is written later. One that gets no
    /// note stays without a user for good, so it keeps no sender's id.
    static let stored: SQL = """
        insert into dialtone.events (event_id, source_id, delivery_id, item, tenant_id, user_id, wanted, outcome,
                                     occurred_at, received_at, external_tenant, detail, config_version, secret_id,
                                     sent_id)
        select event_id, source_id, delivery_id, item, coalesce(target, owner),
               case when not is_unmapped then person end, case when not is_unmapped then asks end, outcome,
               case when is_unmapped and by_arrival then at else occurred_at end, received_at, organization, detail,
               config_version, secret_id,
               case when not is_unmapped or keeps_unmapped then \(SentID.kept(of: "told", from: "told.source_id")) end
        from told
        where not is_passed
          and (item = 0 or not exists (
              select 1 from dialtone.events
              where events.source_id = told.source_id and events.delivery_id = told.delivery_id and events.item = 0
                and events.event_id <> told.first_id))
        order by source_id, delivery_id collate "C", item
        on conflict (source_id, delivery_id, item) do nothing
        returning event_id
        """

    /// Settles events that are in quarantine: the same rows, with what they come to now. Who comes first settles an
    /// event, and the next one changes nothing. An event that still cannot be used stays. Index events_pkey.
    ///
    /// The rows exist, so the upsert only updates. An `update … from` may be planned as a walk through all events.
    static let settled: SQL = """
        insert into dialtone.events (event_id, source_id, delivery_id, item, tenant_id, user_id, wanted, outcome,
                                     occurred_at, received_at, external_tenant, detail, config_version)
        select event_id, source_id, delivery_id, item, coalesce(target, owner), person, asks, outcome, occurred_at,
               received_at, organization, detail, config_version
        from told
        where outcome not in ('quarantined', 'ignored') order by event_id
        on conflict (event_id) do update
        set tenant_id = excluded.tenant_id, user_id = excluded.user_id, wanted = excluded.wanted,
            outcome = excluded.outcome, occurred_at = excluded.occurred_at,
            external_tenant = excluded.external_tenant, detail = excluded.detail,
            config_version = excluded.config_version
        where events.outcome = 'quarantined'
        returning event_id
        """

    /// What was read of a settled event is no longer needed. Its body goes with `QuarantinedBody.handOn`. Index
    /// quarantine_pkey.
    static func quarantineEnded(by settlement: Settlement) -> SQL {
        """
        update dialtone.quarantine
        set settled_at = statement_timestamp(), settled_by = \(settlement), picks = null
        where event_id = any(array(select event_id from stored))
        """
    }

    /// Per event: its id, the outcome, the detail, the id in the ledger, and whether the ledger says the same. Then the
    /// tenant, and whether the ledger's event is in quarantine. A row in quarantine says the same as any, and so does
    /// one that an operator has dropped. Index: the ledger's unique key, for events that were known before.
    ///
    /// The ledger's id is null for a word that was passed, and for one that its delivery did not have when it came
    /// first. So it is for one that another node has committed meanwhile. `is true` makes the planner hash `desired`,
    /// and not compare each row of it with each word.
    static let perEvent: SQL = """
        select answer.event_id,
               case when answer.is_passed then 'ignored'
                    when not answer.is_stored then 'duplicate'
                    when answer.outcome = 'accepted' and answer.changes and not answer.has_changed then 'superseded'
                    else answer.outcome end,
               case when answer.is_stored or answer.is_passed then answer.detail else ledger.detail end,
               case when answer.is_stored then answer.event_id else ledger.event_id end,
               answer.is_passed or answer.is_stored
               or coalesce(ledger.outcome in ('quarantined', 'ignored') or ledger.user_id = answer.person
                           and ledger.external_tenant is not distinct from answer.organization
                           and ledger.wanted = answer.asks, false),
               answer.target,
               not answer.is_stored and coalesce(ledger.outcome = 'quarantined', false)
        from (select told.*, told.event_id in (select event_id from stored) as is_stored,
                     told.event_id in (
                         select due.event_id from due
                         where ((due.tenant_id, due.person) in (select tenant_id, user_id from desired)) is true)
                         as has_changed
              from told offset 0) answer
        left join lateral (
            select events.* from dialtone.events
            where not answer.is_stored and events.source_id = answer.source_id
              and events.delivery_id = answer.delivery_id and events.item = answer.item offset 0) ledger on true
        """
}
