// SPDX-License-Identifier: Apache-2.0
// The statements by which an operator looks at events: the newest of the ledger, what is in quarantine, and one.

import Model
import Postgres

enum EventSelect {
    /// Rows that a list looks through at most, where few of them may be those that are asked for.
    static let maximumLookedThrough: Int64 = 100_000

    /// The newest events first. An event's id begins with the time of its arrival, so the ledger's key has their order.
    ///
    /// Each row holds the last event that was looked at too, where fewer than `limit` were found among so many. Without
    /// an event there is one row. Where the page is full that event is not sought, because reading ends early there.
    ///
    /// Indexes events_pkey, sources_pkey and quarantine_pkey.
    static func newest(
        of source: SourceID?, tenant: TenantID?, before: EventID? = nil, limit: Int64,
        lookedThrough: Int64 = Self.maximumLookedThrough
    ) -> SQL {
        let bound: SQL = before.map { "where events.event_id < \($0)" } ?? ""
        return """
            with hit as materialized (
                select * from (select * from dialtone.events \(bound) order by event_id desc
                               limit \(lookedThrough)) newest
                where (\(source)::uuid is null or source_id = \(source))
                  and (\(tenant)::text is null or tenant_id = \(tenant))
                order by event_id desc limit \(limit))
            select tail.event_id, events.event_id is not null, \(Self.columns)
            from (select case when (select count(*) from hit) < \(limit) then (
                      select events.event_id from dialtone.events \(bound)
                      order by events.event_id desc offset \(lookedThrough - 1) limit 1) end as event_id) tail
            left join hit events on true
            \(Self.beside)
            order by events.event_id desc
            """
    }

    /// What is open in quarantine, the newest first: the newest of each source, and the newest of these. Indexes
    /// quarantine_open, events_pkey and sources_pkey; `sources` is read whole.
    static func quarantined(of source: SourceID?, tenant: TenantID?, before: EventID? = nil, limit: Int64) -> SQL {
        let bound: SQL =
            before.map { event in
                """
                and (quarantine.arrived_at, quarantine.event_id) < (
                    select last.arrived_at, last.event_id from dialtone.quarantine last where last.event_id = \(event))
                """
            } ?? ""
        return """
            select \(Self.columns)
            from (select open.event_id as open_id, open.arrived_at
                  from dialtone.sources sender
                  cross join lateral (
                      select quarantine.event_id, quarantine.arrived_at from dialtone.quarantine
                      where quarantine.source_id = sender.source_id and quarantine.settled_at is null
                        and (\(tenant)::text is null or sender.tenant_id = \(tenant) or exists (
                            select 1 from dialtone.events
                            where events.event_id = quarantine.event_id and events.tenant_id = \(tenant)))
                        \(bound)
                      order by quarantine.arrived_at desc, quarantine.event_id desc limit \(limit)) open
                  where \(source)::uuid is null or sender.source_id = \(source)
                  order by open.arrived_at desc, open.event_id desc limit \(limit)) waiting
            cross join lateral (select * from dialtone.events where events.event_id = waiting.open_id offset 0) events
            \(Self.beside)
            order by waiting.arrived_at desc, events.event_id desc
            """
    }

    /// Index events_pkey.
    static func one(_ id: EventID) -> SQL {
        """
        select \(Self.columns), events.source_id, events.config_version, events.secret_id
        from (select * from dialtone.events where event_id = \(id) offset 0) events
        \(Self.beside)
        """
    }

    /// Index effects_pkey.
    static func effects(of event: EventID) -> SQL {
        "select tenant_id, user_id, effect from dialtone.effects where event_id = \(event) order by tenant_id"
    }

    /// What `EventReader.entry` reads.
    private static let columns: SQL = """
        events.event_id, events.received_at, events.occurred_at, sender.slug, nullif(events.tenant_id, '-'),
        coalesce(events.user_id, case when \(Self.isPicked) then waits.picks->>'user_id' end),
        coalesce(events.external_tenant, case when \(Self.isPicked) then waits.picks->>'organization' end),
        coalesce(events.sent_id, events.delivery_id), events.item, events.wanted, events.outcome, events.detail,
        waits.reason, waits.pointer, did.tenants
        """

    /// Whether the picks are the event's own. Picks may be those of the delivery's first word. They are the event's own
    /// where it stands first and could be read, and beyond the first take, but for an older program's. So they are
    /// where it was all of its delivery: a replay may read more there.
    private static let isPicked: SQL = """
        (waits.spans <> 'item' and waits.config_version = events.config_version
            or (events.item % \(FirstTake.firstItemBeyond) = 0 or events.item >= \(FirstTake.firstItemOfVersions))
               and waits.reason in ('unmapped', 'mapping_changed', 'refused'))
        """

    /// A source that was deleted has no name: another one may have it by now. Picks that hold NUL are left out: `->>`
    /// would fail on them. Indexes sources_pkey, quarantine_pkey and effects_pkey.
    private static let beside: SQL = """
        left join lateral (
            select case when sources.status <> 'deleted' then sources.slug end as slug
            from dialtone.sources where sources.source_id = events.source_id offset 0) sender on true
        left join lateral (
            select quarantine.reason, quarantine.pointer, quarantine.spans, quarantine.config_version,
                   case when strpos(quarantine.picks::text, '\\u0000') = 0 then quarantine.picks end as picks
            from dialtone.quarantine
            where quarantine.event_id = events.event_id and quarantine.settled_at is null offset 0) waits on true
        left join lateral (
            select coalesce(array_agg(named.tenant_id order by named.tenant_id), '{}'::text[]) as tenants
            from (select effects.tenant_id from dialtone.effects
                  where effects.event_id = events.event_id order by effects.tenant_id limit 4) named) did on true
        """
}
