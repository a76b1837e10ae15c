// SPDX-License-Identifier: Apache-2.0
// What a tracked batch writes beside the ledger: the facts, the users, and what it did in tenants that no row names.

import Postgres

/// Only what was stored counts. `(event_id in (select …)) is true` is no join, so the planner hashes the rows. It does
/// not read them once for each word.
///
/// Every row exists and is locked, or its person is. So the upserts decide by what the statement has read. An
/// `update … from` is not needed, which may be planned as a walk through the table.
enum TrackedWrites {
    private static let isStored: SQL = "(event_id in (select event_id from stored)) is true"

    /// The people. Index people_pkey. A person who waits and gets a membership, or is suspended or deleted, waits no
    /// more: housekeeping must not take what was told.
    static let people: SQL = """
        insert into dialtone.people (source_id, external_user, state, told_at, ended_at, listed_at, waits_until,
                                     cause_id)
        select source_id, person, state_then, told_then, ended_then, listed_then,
               case when waits then statement_timestamp() + interval '30 days'
                    when person_word in ('suspended', 'deleted') or membership_word = 'live' then null
                    else waits_until end,
               event_id
        from told
        where (is_wide or waits or is_member_news and waits_until is not null) and \(Self.isStored)
        order by source_id, person
        on conflict (source_id, external_user) do update
        set state = excluded.state, told_at = excluded.told_at, ended_at = excluded.ended_at,
            listed_at = excluded.listed_at, waits_until = excluded.waits_until, cause_id = excluded.cause_id
        """

    /// The memberships, also those that are bound nowhere yet. Index memberships_pkey.
    static let memberships: SQL = """
        insert into dialtone.memberships (source_id, external_user, external_tenant, state, told_at, invited_at,
                                          tenant_id, cause_id)
        select source_id, person, organization,
               case when is_member_news then membership_word else coalesce(member_state, 'none') end,
               case when is_member_news then at else coalesce(member_told, '-infinity') end,
               case when membership_word = 'invited' then at end,
               case when membership_word <> 'invited' then target end, event_id
        from told
        where (is_member_news or binds or membership_word = 'invited' and not is_ignored) and \(Self.isStored)
        order by source_id, person, organization
        on conflict (source_id, external_user, external_tenant) do update
        set state = excluded.state, told_at = excluded.told_at,
            tenant_id = coalesce(excluded.tenant_id, memberships.tenant_id),
            invited_at = greatest(excluded.invited_at, memberships.invited_at), cause_id = excluded.cause_id
        """

    /// Changes what is wanted of the users. Index users_pkey.
    ///
    /// The condition asks once more what `due` has asked, for a user whom another source has inserted meanwhile.
    static let users: SQL = """
        insert into dialtone.users (tenant_id, user_id, wanted, generation, status, occurred_at, received_at, told_by,
                                    cause_id)
        select tenant_id, person, wanted, \(EventStatement.firstGeneration(of: "due.tenant_id")), 'pending',
               case when isfinite(at) then at end, received_at, source_id, event_id
        from due where effect = 'change' and \(Self.isStored) order by tenant_id, person
        on conflict (tenant_id, user_id) do update
        set wanted = excluded.wanted,
            generation = users.generation + (excluded.wanted = 'live' and users.wanted = 'gone')::int,
            status = case when users.wanted = excluded.wanted then users.status
                          when excluded.wanted = 'live' then 'pending' else 'revoking' end,
            occurred_at = case when users.wanted = excluded.wanted then users.occurred_at else excluded.occurred_at end,
            told_by = case when users.wanted = excluded.wanted then users.told_by else excluded.told_by end,
            received_at = case when users.wanted = excluded.wanted then users.received_at else excluded.received_at end,
            ready_at = case when users.wanted = excluded.wanted then users.ready_at end,
            held_at = case when users.wanted = excluded.wanted then users.held_at end,
            wished_by = case when users.wanted = excluded.wanted then users.wished_by end,
            cause_id = case when users.wanted = excluded.wanted then users.cause_id else excluded.cause_id end
        where users.wanted = excluded.wanted
           or case when excluded.wanted = 'gone' then \(Self.isOfOneSource)
                        or coalesce(excluded.occurred_at >= users.occurred_at - interval '5 minutes', true)
                   when users.held_at is not null then \(Self.isNamedAndStrong)
                        and coalesce(excluded.occurred_at > users.held_at - interval '5 minutes', false)
                   else \(Self.isOfOneSource)
                        or \(Self.isStrong)
                           and coalesce(excluded.occurred_at > users.occurred_at + interval '5 minutes', false) end
        returning tenant_id, user_id, wanted, generation, status, received_at
        """

    private static let isOfOneSource: SQL = "coalesce(users.told_by = excluded.told_by, true)"
    private static let isStrong: SQL =
        "(excluded.tenant_id, excluded.user_id) in (select tenant_id, person from due where not is_weak)"
    private static let isNamedAndStrong: SQL =
        "(excluded.tenant_id, excluded.user_id) in (select tenant_id, person from due where is_named and not is_weak)"

    /// A word that says what is wanted already, and is the newest, takes over the user's time line. Index users_pkey.
    static let newest: SQL = """
        insert into dialtone.users (tenant_id, user_id, wanted, status, occurred_at, received_at, told_by)
        select tenant_id, person, wanted, 'pending', at, received_at, source_id
        from due where effect = 'newer' and isfinite(at) and \(Self.isStored) order by tenant_id, person
        on conflict (tenant_id, user_id) do update
        set occurred_at = excluded.occurred_at, told_by = excluded.told_by
        """

    /// What a word did in tenants that its row in the ledger does not name. Index effects_pkey.
    ///
    /// A word that was unmapped has done so when it came. It does so again when it is settled, where an operator has
    /// reopened the user meanwhile.
    static let effects: SQL = """
        insert into dialtone.effects (event_id, tenant_id, user_id, effect)
        select event_id, tenant_id, person, wanted
        from due
        where effect = 'change' and not is_named
          and ((tenant_id, person) in (select tenant_id, user_id from desired)) is true
        order by event_id, tenant_id
        on conflict (event_id, tenant_id) do update set effect = excluded.effect, at = excluded.at
        """
}
