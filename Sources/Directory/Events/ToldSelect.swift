// SPDX-License-Identifier: Apache-2.0
// What an event has come to by now: a person who waited when it came may wait still, or not.

import Model
import Postgres

enum ToldSelect {
    /// The outcome of an event as the tenant is told. `row` has the columns of `events`.
    ///
    /// Of few events the detail says that the person waited, so the function is asked for few.
    static func outcome(_ row: String, _ tenant: TenantID) -> SQL {
        """
        case when \(unsafeText: row).detail = 'waits'
                  and dialtone.still_waits(\(tenant), \(unsafeText: row).source_id, \(unsafeText: row).user_id)
             then 'waiting' else \(unsafeText: row).outcome end
        """
    }

    /// The events that told of people who wait now, the newest first. A person who waits has few events. Indexes
    /// people_waiting and events_user.
    static func ofWaiting(in tenant: TenantID, _ bounds: SQL, limit: Int) -> SQL {
        """
        select events.* from dialtone.who_waits(\(tenant), \(limit)) person
        cross join lateral (
            select * from dialtone.events
            where events.tenant_id = \(tenant) and events.user_id = person.user_id and \(ListIndex.eventsOfUser)
              and events.source_id = person.source_id and events.detail = 'waits'
            order by events.received_at desc limit 10) events
        where \(bounds) order by events.event_id desc limit \(limit)
        """
    }
}
