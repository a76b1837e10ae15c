// SPDX-License-Identifier: Apache-2.0
// Writes the names that a batch has told, behind its events and in their transaction.

import Foundation
import Model
import Postgres

/// A statement of its own. A batch without a name has none, so that no other one pays for names.
enum NameStatement {
    private struct Row {
        let event: EventID
        let user: UserID
        let toldAt: Date
        let name: SealedName
    }

    /// Nil: no event has a name.
    static func write<Event: NamingEvent>(_ events: [Event]) -> SQL? {
        let rows = events.flatMap { event in
            event.name?.sealed.map {
                Row(event: event.id, user: event.namedUser, toldAt: event.receivedAt, name: $0)
            } ?? []
        }
        return rows.isEmpty ? nil : Self.write(rows)
    }

    /// Counts what was stored and stands: not what was refused, superseded or kept in quarantine. Only a user who is
    /// there has a name.
    ///
    /// Locks those users by key, for key share: an erasure waits for it, or is waited for, and nobody else is. Then the
    /// names that exist, by key. It is the last statement that waits for anybody. Indexes events_pkey, users_pkey and
    /// person_names_pkey.
    ///
    /// An older arrival changes nothing. A word without an address does not take the place of one that has it, because
    /// many senders write the address in some of their events alone.
    private static func write(_ rows: [Row]) -> SQL {
        """
        with told as materialized (
            select distinct on (named.tenant_id, named.user_id) named.*
            from unnest(
                \(rows.map(\.event)), \(rows.map(\.name.tenant)), \(rows.map(\.user)),
                \(rows.map { Bytes($0.name.sealed) }), \(rows.map { $0.name.emailIndex.map(Bytes.init) }),
                \(rows.map(\.toldAt)))
            with ordinality as named (event_id, tenant_id, user_id, sealed, email_index, told_at, place)
            cross join lateral (
                select events.event_id from dialtone.events
                where events.event_id = named.event_id and events.outcome in ('accepted', 'duplicate') offset 0) stored
            order by named.tenant_id, named.user_id, named.email_index is null, named.told_at desc, named.place desc)
        insert into dialtone.person_names (tenant_id, user_id, sealed, email_index, told_at)
        select told.tenant_id, told.user_id, told.sealed, told.email_index, told.told_at
        from (select * from told order by tenant_id collate "C", user_id collate "C") told
        cross join lateral (
            select users.user_id from dialtone.users
            where users.tenant_id = told.tenant_id and users.user_id = told.user_id
            for key share of users) owner
        order by told.tenant_id collate "C", told.user_id collate "C"
        on conflict (tenant_id, user_id) do update
        set sealed = excluded.sealed, email_index = excluded.email_index, told_at = excluded.told_at
        where person_names.told_at <= excluded.told_at
          and (excluded.email_index is not null or person_names.email_index is null)
        """
    }
}
