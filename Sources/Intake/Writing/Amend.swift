// SPDX-License-Identifier: Apache-2.0
// What a revoke must close is closed here, behind the statement that accepted the revoke and in the same transaction.

import Model
import Postgres
import Queue

/// A statement that waits for a lock reads anew only the row it waited for. Everything else it reads is as old as the
/// statement. So `insert` cannot see a credential that a worker has recorded meanwhile.
///
/// `amend` is a statement of its own, under a younger snapshot, with all locks held. A lock before `insert` would not
/// be enough: a user whom another node inserts while `insert` waits was not there to be locked.
extension EventStatement {
    /// Closes what the revokes among these events must close; nil when there are none.
    ///
    /// Locks credentials in their users' order. `insert` has locked the users.
    static func amend(_ events: [NewEvent]) -> SQL? {
        let revokes = events.filter { $0.change.wanted == .gone }.map(\.id)
        return revokes.isEmpty ? nil : Self.amend(Self.usersRevoked(by: revokes))
    }

    /// The same for words of tracked sources, which may revoke the users of many tenants.
    static func amend(tracked words: [EventID]) -> SQL { Self.amend(Self.usersTakenAway(by: words)) }

    private static func amend(_ gone: SQL) -> SQL {
        """
        with gone as materialized (\(gone))
        \(Self.credentialsClosed)
        """
    }

    /// Users whom these events have revoked, as they are now. Indexes events_pkey and users_pkey.
    ///
    /// `offset 0` keeps the planner from turning a lateral into a plain join, which it may enter from the other side.
    private static func usersRevoked(by revokes: [EventID]) -> SQL {
        """
        select owner.tenant_id, owner.user_id, owner.generation
        from unnest(\(revokes)) as revoke (event_id)
        cross join lateral (
            select events.tenant_id, events.user_id, events.outcome from dialtone.events
            where events.event_id = revoke.event_id offset 0) event
        cross join lateral (
            select users.tenant_id, users.user_id, users.generation, users.wanted from dialtone.users
            where users.tenant_id = event.tenant_id and users.user_id = event.user_id offset 0) owner
        where event.outcome = 'accepted' and owner.wanted = 'gone'
        order by owner.tenant_id, owner.user_id
        """
    }

    /// The same users, and those that a word has revoked in tenants that its event does not name. Indexes events_pkey,
    /// effects_pkey and users_pkey.
    private static func usersTakenAway(by words: [EventID]) -> SQL {
        """
        select distinct owner.tenant_id, owner.user_id, owner.generation
        from unnest(\(words)) as word (event_id)
        cross join lateral (
            select events.tenant_id, events.user_id from dialtone.events
            where events.event_id = word.event_id and events.outcome = 'accepted'
            union all
            select effects.tenant_id, effects.user_id from dialtone.effects
            where effects.event_id = word.event_id offset 0) named
        cross join lateral (
            select users.tenant_id, users.user_id, users.generation, users.wanted from dialtone.users
            where users.tenant_id = named.tenant_id and users.user_id = named.user_id offset 0) owner
        where owner.wanted = 'gone'
        order by owner.tenant_id, owner.user_id
        """
    }

    /// Every credential of these users closes now, also one that a rotation lets serve a while. Index credentials_pkey.
    ///
    /// The rows exist, so the upsert only updates. An `update … from` may be planned as a walk through all credentials.
    private static let credentialsClosed: SQL = """
        insert into dialtone.credentials (
            tenant_id, user_id, generation, provider_id, name, tag, status, sealed_username, sealed_password,
            username_index)
        select open.tenant_id, open.user_id, open.generation, open.provider_id, open.name, open.tag, 'closing',
               open.sealed_username, open.sealed_password, open.username_index
        from gone cross join lateral (
            select * from dialtone.credentials
            where credentials.tenant_id = gone.tenant_id and credentials.user_id = gone.user_id offset 0) open
        where open.status = 'active' or open.status = 'closing' and open.close_after is not null
        on conflict (tenant_id, user_id, generation) do update set status = 'closing', close_after = null
        where credentials.status <> 'deleted'
        """
}
