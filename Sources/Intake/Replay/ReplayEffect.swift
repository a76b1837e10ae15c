// SPDX-License-Identifier: Apache-2.0
// What an event has changed: the users of whom something else is wanted because of it.

import Model
import Postgres

enum ReplayEffect {
    /// Reads inside the transaction that has written the events.
    ///
    /// Cancelled here: the caller's transaction is rolled back.
    static func read(
        _ event: EventID, _ further: [EventID], on connection: PostgresConnection
    ) async throws -> ReplayReport.Effect? {
        let rows = try await connection.query(
            "select outcome, detail from dialtone.events where event_id = \(event)")
        guard var columns = rows.first?.columns else { return nil }
        return ReplayReport.Effect(
            outcome: try columns.next(), detail: try columns.next(),
            users: try await Self.users([event] + further, on: connection), further: further.count)
    }

    /// Returns the users whose present wish these events are behind. Indexes events_pkey, effects_pkey and users_pkey.
    ///
    /// Cancelled here: nothing was begun.
    static func users(
        _ events: [EventID], on connection: PostgresConnection
    ) async throws -> [ReplayReport.Change] {
        try await connection.query(Self.changed(by: events)).map { row in
            var columns = row.columns
            return ReplayReport.Change(
                user: UserKey(tenant: try columns.next(), user: try columns.next()), wanted: try columns.next(),
                generation: try columns.next())
        }
    }

    static func changed(by events: [EventID]) -> SQL {
        """
        select distinct owner.tenant_id, owner.user_id, owner.wanted, owner.generation
        from unnest(\(events)) as event (event_id)
        cross join lateral (
            select events.tenant_id, events.user_id from dialtone.events
            where events.event_id = event.event_id and events.user_id is not null
            union all
            select effects.tenant_id, effects.user_id from dialtone.effects
            where effects.event_id = event.event_id offset 0) named
        cross join lateral (
            select * from dialtone.users
            where users.tenant_id = named.tenant_id and users.user_id = named.user_id offset 0) owner
        where owner.cause_id = event.event_id
        order by owner.tenant_id, owner.user_id
        """
    }
}
