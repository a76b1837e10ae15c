// SPDX-License-Identifier: Apache-2.0
// Where the steps of a user's life stand: the log of jobs, events, actions, credentials and surplus.

import Foundation
import Model
import Postgres

/// Each statement reads steps from a time on, the oldest first, as many as a page may need.
enum TimelineSelect {
    /// `from` counts microseconds since 1970.
    private static func time(_ from: Int64) -> SQL { "timestamptz 'epoch' + \(from) * interval '1 microsecond'" }

    /// Transitions of the user's jobs. Index job_log_user, by partition.
    static func transitions(_ user: UserKey, from: Int64, limit: Int) -> SQL {
        """
        select at, from_state, to_state, generation, epoch, worker, http_status, provider_request_id, error_code,
               call_ms, waited_ms
        from dialtone.job_log
        where tenant_id = \(user.tenant) and user_id = \(user.user) and at >= \(Self.time(from))
        order by at, epoch limit \(limit)
        """
    }

    /// What was said of the user, and the event behind the present wish, which may name another tenant or none. Indexes
    /// events_user, users_pkey and events_pkey; sources by sources_pkey, and people by people_pkey.
    static func events(_ user: UserKey, from: Int64, limit: Int) -> SQL {
        """
        select told.received_at, told.event_id, told.delivery_id, \(ToldSelect.outcome("told", user.tenant)),
               told.detail, sender.slug
        from (
            (select events.received_at, events.event_id, coalesce(events.sent_id, events.delivery_id) as delivery_id,
                    events.outcome, events.detail, events.source_id, events.user_id
             from dialtone.events
             where events.tenant_id = \(user.tenant) and events.user_id = \(user.user) and \(ListIndex.eventsOfUser)
               and events.received_at >= \(Self.time(from))
             order by events.received_at, events.event_id limit \(limit))
            union
            (select cause.at, cause.event_id, null, 'accepted', null, null, null from (
                select effects.at, effects.event_id from dialtone.effects
                where effects.tenant_id = \(user.tenant) and effects.user_id = \(user.user)
                  and effects.event_id = (select cause_id from dialtone.users
                                          where tenant_id = \(user.tenant) and user_id = \(user.user)) offset 0) cause
             where cause.at >= \(Self.time(from)))) told
        left join lateral (
            select sources.slug from dialtone.sources where sources.source_id = told.source_id offset 0) sender on true
        order by told.received_at, told.event_id limit \(limit)
        """
    }

    /// The lives of the user's credentials, as far as they have come. Index credentials_pkey.
    static func credentials(_ user: UserKey) -> SQL {
        """
        select generation, provider_id, status, created_at,
               case when close_after <= clock_timestamp() then close_after end, missing_since, deleted_at, first_token_at,
               last_token_at
        from dialtone.credentials where tenant_id = \(user.tenant) and user_id = \(user.user) order by generation
        """
    }

    /// Second credentials of the user. Index surplus_user.
    static func surplus(_ user: UserKey) -> SQL {
        """
        select generation, provider_id, found_at, deleted_at from dialtone.surplus
        where tenant_id = \(user.tenant) and user_id = \(user.user) order by found_at limit 1000
        """
    }

    /// What an operator has done to the user. Index actions_user.
    static func actions(_ user: UserKey, from: Int64, limit: Int) -> SQL {
        """
        select at, action, generation, request_id from dialtone.actions
        where tenant_id = \(user.tenant) and user_id = \(user.user) and at >= \(Self.time(from))
        order by at, action_id limit \(limit)
        """
    }

    /// The user's own row. Index users_pkey. No row: there is no such user.
    static func user(_ user: UserKey) -> SQL {
        "select 1 from dialtone.users where tenant_id = \(user.tenant) and user_id = \(user.user)"
    }

    /// When the log begins: the first of its days that is there. Null: it has no days.
    static let logBegins: SQL = """
        select to_timestamp(min(right(child.relname::text, 8)), 'YYYYMMDD')
        from pg_inherits join pg_class child on child.oid = pg_inherits.inhrelid
        where pg_inherits.inhparent = 'dialtone.job_log'::regclass and child.relname::text ~ '^job_log_[0-9]{8}$'
        """
}
