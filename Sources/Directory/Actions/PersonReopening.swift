// SPDX-License-Identifier: Apache-2.0
// What the sources have told of a user's person is opened again with the user, so that it goes on from there.

import Model
import Postgres

/// `people` and `memberships` hold what one source told, and `users` follows them. A user who is reopened while the
/// facts still say "gone" would be revoked by the next word of the source that touches the person.
enum PersonReopening {
    /// Locks the people that may be this user, whatever their source, in the order of the tracked writer: before the
    /// user. Index people_pkey, entered once for each tracked source.
    static func lock(_ user: UserKey) -> SQL {
        """
        select person.source_id
        from (select source_id from dialtone.sources where is_tracked order by source_id) source
        cross join lateral (
            select people.source_id from dialtone.people
            where people.source_id = source.source_id and people.external_user = \(user.user)
            for no key update) person
        """
    }

    /// Opens the memberships that are bound to the user's tenant, just after everything that was told of them. A
    /// suspension ends with them. A line without a time ends at the database's clock, so that a later word can be
    /// newer.
    ///
    /// The deletion's own line stays where it is: the same deletion under another id then meets newer memberships.
    /// Indexes people_pkey and memberships_pkey.
    static func reopen(_ user: UserKey) -> SQL {
        """
        with bound as materialized (
            select membership.* from dialtone.sources source
            cross join lateral (
                select memberships.source_id, memberships.external_user, memberships.external_tenant,
                       memberships.state, memberships.told_at
                from dialtone.memberships
                where memberships.source_id = source.source_id and memberships.external_user = \(user.user)
                  and memberships.tenant_id = \(user.tenant) offset 0) membership
            where source.is_tracked),
        lines as materialized (
            select distinct person.source_id, person.external_user, \(Self.finite("person.ended_at")) as ended_at,
                   person.listed_at
            from bound cross join lateral (
                select people.* from dialtone.people
                where people.source_id = bound.source_id and people.external_user = bound.external_user
                offset 0) person),
        people_opened as (
            insert into dialtone.people (source_id, external_user)
            select source_id, external_user from lines order by source_id
            on conflict (source_id, external_user) do update
            set state = 'live', ended_at = \(Self.finite("people.ended_at")),
                told_at = \(Self.finite("people.told_at")) + interval '1 microsecond', waits_until = null,
                cause_id = null)
        insert into dialtone.memberships (source_id, external_user, external_tenant, state, told_at)
        select bound.source_id, bound.external_user, bound.external_tenant, 'live',
               greatest(\(Self.finite("bound.told_at")), lines.ended_at, lines.listed_at) + interval '1 microsecond'
        from bound join lines using (source_id, external_user)
        order by bound.source_id, bound.external_tenant
        on conflict (source_id, external_user, external_tenant) do update
        set state = 'live', told_at = excluded.told_at, cause_id = null
        """
    }

    /// A word without a time stands at 'infinity' when it took something away. It ends now.
    private static func finite(_ line: String) -> SQL {
        "case when \(unsafeText: line) = 'infinity' then statement_timestamp() else \(unsafeText: line) end"
    }
}
