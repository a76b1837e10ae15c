// SPDX-License-Identifier: Apache-2.0
// What the statement of users asks besides, where a mapping has read the words: updates, and words without a time.

import Postgres

/// Parts of `EventStatement`. The canonical event needs none of them.
enum MappedRules {
    /// A weak word stands in an update. It lifts no operator's revoke, and no other source's.
    static let weakWordYields: SQL = """
        when event.is_weak and event.wanted = 'live'
             and (known.held_at is not null or known.told_by <> event.source_id) then 'superseded'
        """

    static let weakWordYieldsToNewUser: SQL = """
        and (users.held_at is null and coalesce(users.told_by = excluded.told_by, true)
             or (excluded.tenant_id, excluded.user_id) not in (select tenant_id, user_id from judged where is_weak))
        """

    // MARK: Arrival

    /// The time of an event that is settled. A revoke that counts as of its arrival came when it came into quarantine:
    /// what was told since stays. Index quarantine_pkey.
    static let timeOfSettled: SQL = """
        coalesce(input.occurred_at,
                 case when input.by_arrival
                      then coalesce((select quarantine.arrived_at from dialtone.quarantine
                                     where quarantine.event_id = input.event_id), input.received_at) end)
        """

    /// The time with which a stored event begins a user's line, or goes on with it.
    static func timeTold(isSettling: Bool) -> SQL {
        let arrival: SQL =
            isSettling
            ? "(select judged.at from judged where judged.event_id = stored.event_id)" : "statement_timestamp()"
        return """
            case when (event_id in (select event_id from judged where by_arrival)) is true then \(arrival)
                 else occurred_at end
            """
    }

    /// A revoke that counts as of its arrival always stands. It is newer than all that it meets, also than what a clock
    /// ahead of ours has told.
    static let countsByArrival: SQL = """
        (excluded.wanted = 'gone'
         and (excluded.tenant_id, excluded.user_id) in (select tenant_id, user_id from judged where by_arrival))
        """

    static let timeKept: SQL = """
        case when \(Self.countsByArrival)
             then greatest(excluded.occurred_at, users.occurred_at + interval '1 microsecond')
             else excluded.occurred_at end
        """

    /// Settles events that are in quarantine, once. The rows exist, so the upsert only updates. Index events_pkey.
    static let settled: SQL = """
        insert into dialtone.events (event_id, source_id, delivery_id, item, tenant_id, user_id, wanted, outcome,
                                     occurred_at, received_at, detail, config_version)
        select event_id, source_id, delivery_id, item, tenant_id, user_id, wanted, outcome, occurred_at, received_at,
               case when outcome = 'superseded'
                    then case when held_at is not null then 'held'
                              when told_by <> source_id then 'other_source' end end, config_version
        from judged order by event_id
        on conflict (event_id) do update
        set tenant_id = excluded.tenant_id, user_id = excluded.user_id, wanted = excluded.wanted,
            outcome = excluded.outcome, occurred_at = excluded.occurred_at, detail = excluded.detail,
            config_version = excluded.config_version
        where events.outcome = 'quarantined'
        returning event_id, source_id, tenant_id, user_id, wanted, outcome, occurred_at, received_at
        """
}
