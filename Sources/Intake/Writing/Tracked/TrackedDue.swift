// SPDX-License-Identifier: Apache-2.0
// Which users the new facts ask to change, and whether each of them does change.

import Postgres

/// `users` is the projection of the facts. A source wants a user of a tenant while a membership of the person counts
/// that is bound to that tenant. It counts when it is live and the person is not suspended. It must be told after the
/// person's last deletion, and not before the last whole list.
enum TrackedDue {
    /// A row for each tenant that the word makes due, in the order of the users' keys, with what becomes of the user
    /// there. A word that makes none due has one row without a tenant. `number` 1 is the word's first row.
    ///
    /// Locks the users that exist, in that order. Indexes users_pkey and memberships_pkey.
    static let due: SQL = """
        select ordered.*, decided.effect,
               coalesce(bool_or(decided.effect = 'change') over word, false) as changes,
               coalesce(bool_or(decided.effect = 'held') over word, false) as is_held,
               coalesce(bool_or(decided.effect = 'other_source') over word, false) as is_others,
               row_number() over (partition by ordered.event_id order by ordered.is_named desc nulls last) as number
        from (\(Self.tenants) order by tenant_id collate "C", person collate "C") ordered
        left join lateral (\(Self.effect)) decided on true
        window word as (partition by ordered.event_id)
        """

    /// The tenants whose user the word is about. One is the tenant that it names. A word on the person or a whole list
    /// is about all that the person's memberships are bound to. A word that gives makes due only where the person is a
    /// member now, and a word that takes away only where not.
    private static let tenants: SQL = """
        select after.*, touched.tenant_id, touched.is_named,
               case when touched.is_member then 'live' when touched.tenant_id is not null then 'gone' end as wanted
        from after left join lateral (
            select place.tenant_id, place.is_named, \(Self.isMember) as is_member
            from (select after.target as tenant_id, true as is_named
                  where (after.is_member_news or after.binds) and after.target is not null
                  union all
                  select distinct memberships.tenant_id, false from dialtone.memberships
                  where after.is_wide and memberships.source_id = after.source_id
                    and memberships.external_user = after.person and memberships.tenant_id is not null
                    and not ((after.is_member_news or after.binds)
                             and memberships.tenant_id is not distinct from after.target)) place) touched
        on case when touched.is_member
                then touched.is_named and after.membership_word = 'live' or after.person_word = 'live'
                else touched.is_named and after.membership_word = 'gone' or after.is_list_news
                     or after.person_word in ('suspended', 'deleted') end
        """

    /// Whether a membership that is bound to the tenant counts, with this word taken in. The word's own membership is
    /// not read, because the table does not have it yet.
    private static let isMember: SQL = """
        after.state_then = 'live'
        and (place.is_named and coalesce(after.membership_word = 'live', false)
             and (after.is_member_news
                  or coalesce(after.member_told > after.ended_then, true)
                     and coalesce(after.member_told >= after.listed_then, true))
             or exists (
                 select 1 from dialtone.memberships
                 where memberships.source_id = after.source_id and memberships.external_user = after.person
                   and memberships.tenant_id = place.tenant_id and memberships.state = 'live'
                   and not (place.is_named and memberships.external_tenant is not distinct from after.organization)
                   and (after.ended_then is null or memberships.told_at > after.ended_then)
                   and (after.listed_then is null or memberships.told_at >= after.listed_then)))
        """

    /// What becomes of the user: 'change', 'newer' (nothing but the time line), 'same', 'held' or 'other_source'.
    ///
    /// Between words of one source the facts have decided. Between two sources less than five minutes is a tie, and
    /// what takes away wins it. A word that names the tenant lifts an operator's revoke, unless it is an update. It
    /// must be from after the revoke, with the same five minutes for the sender's clock.
    private static let effect: SQL = """
        select case
            when ordered.tenant_id is null then null
            when ordered.wanted = 'live' and owner.user_id is null then 'change'
            when ordered.wanted = 'live' and owner.wanted = 'live' then
                case when ordered.at > owner.occurred_at + owner.margin then 'newer' else 'same' end
            when ordered.wanted = 'live' and owner.held_at is not null then
                case when ordered.is_named and not ordered.is_weak
                          and ordered.at > owner.held_at - interval '5 minutes' then 'change' else 'held' end
            when ordered.wanted = 'live' and owner.margin = interval '0' then 'change'
            when ordered.wanted = 'live' then
                case when not ordered.is_weak and ordered.at > coalesce(owner.occurred_at, 'infinity') + owner.margin
                     then 'change' else 'other_source' end
            when owner.user_id is null or owner.wanted = 'gone' then 'same'
            when owner.margin = interval '0'
                 or ordered.at >= coalesce(owner.occurred_at, '-infinity') - owner.margin then 'change'
            else 'other_source' end as effect
        from (select) one left join lateral (
            select users.user_id, users.wanted, users.occurred_at, users.held_at,
                   case when users.told_by <> ordered.source_id then interval '5 minutes'
                        else interval '0' end as margin
            from dialtone.users
            where users.tenant_id = ordered.tenant_id and users.user_id = ordered.person
            for no key update of users) owner on true
        """
}
