// SPDX-License-Identifier: Apache-2.0
// One sweep at a time: when it is due, and when the ledger can be trusted again after it.

import Foundation
import Model
import Postgres
import Queue

/// The lease of the sweep, in the one row of `dialtone.sweep`.
enum SweepLease {
    /// Begins a sweep if one is due and none runs. Returns the start of the server.
    ///
    /// A sweep is due when the interval is over, or when the server has changed since the last sweep began. It is due
    /// four times as often while some tenant has not been seen since the change, because every create of that tenant
    /// looks first.
    static func takeIfDue(_ holder: UUID, interval: Duration, hold: Duration) -> SQL {
        """
        update dialtone.sweep s
        set holder = \(holder), held_until = clock_timestamp() + \(hold),
            started_at = clock_timestamp()
        from dialtone.incarnation i
        where coalesce(s.held_until < clock_timestamp(), true) and i.started = \(ServerClock.start)
          and (coalesce(s.started_at, i.changed_at) < clock_timestamp() - \(interval)
               or i.looks_first and coalesce(s.started_at < i.changed_at, true)
               or i.looks_first and i.looks_twice and i.quiet_until < clock_timestamp()
                  and coalesce(s.started_at < i.quiet_until, true)
               or s.started_at < clock_timestamp() - \(max(.seconds(30), interval / 4))
                  and (i.looks_first and (not i.looks_twice or i.quiet_until < clock_timestamp())
                       or i.change <> 'first' and exists (select 1 from dialtone.tenants t where t.swept_at is null)))
        returning i.started
        """
    }

    /// Begins a sweep that an operator has asked for, unless one runs. Returns the start of the server.
    ///
    /// `counts`: whether the next sweep is due an interval from now. A run that only looks, or only at one tenant, does
    /// not count.
    static func take(_ holder: UUID, hold: Duration, counts: Bool) -> SQL {
        """
        update dialtone.sweep s
        set holder = \(holder), held_until = clock_timestamp() + \(hold),
            started_at = case when \(counts) then clock_timestamp() else s.started_at end
        from dialtone.incarnation i
        where coalesce(s.held_until < clock_timestamp(), true) and i.started = \(ServerClock.start)
        returning i.started
        """
    }

    /// Goes on holding the lease, and returns the time; no row when `holder` has lost it.
    static func extend(_ holder: UUID, hold: Duration) -> SQL {
        """
        update dialtone.sweep set held_until = clock_timestamp() + \(hold)
        where holder = \(holder) returning clock_timestamp()
        """
    }

    /// Gives the lease of a broken sweep back. That sweep does not count.
    static func abandon(_ holder: UUID) -> SQL {
        """
        update dialtone.sweep set held_until = null, holder = null, started_at = finished_at where holder = \(holder)
        """
    }

    /// Ends the sweep. The ledger is trusted again when every tenant has been seen whole under this start of the
    /// server, in this run or in others.
    static func end(_ holder: UUID, started: Int64) -> SQL {
        """
        with ended as (
            update dialtone.sweep set held_until = null, holder = null, finished_at = clock_timestamp()
            where holder = \(holder) returning 1)
        update dialtone.incarnation i set looks_first = false, looks_twice = false
        from ended
        where i.started = \(started) and i.started = \(ServerClock.start) and i.looks_first
          and not exists (select 1 from dialtone.tenants t where t.swept_under is distinct from i.started)
        """
    }

    /// Notes that a run has listed every tag of a tenant up to shard `last`, under this start of the server. The run
    /// came to this tenant at `began`. After a change that may have lost commits the tenant is trusted again only when
    /// `began` is after the quiet time.
    ///
    /// The two statements are one transaction. A node that opens a shard holds the tenant's row (`TagShards.openNext`),
    /// so the second statement sees every shard that was opened before. A shard beyond `last` was not listed; then the
    /// tenant was not seen.
    static func saw(_ tenant: TenantID, last: Int32, began: Date, started: Int64) -> [SQL] {
        [
            "select tenant_id from dialtone.tenants where tenant_id = \(tenant) for no key update",
            """
            update dialtone.tenants t
            set swept_at = \(began),
                swept_under = case when not i.looks_twice or \(began) >= i.quiet_until then i.started else t.swept_under end
            from dialtone.incarnation i
            where t.tenant_id = \(tenant) and i.started = \(started)
              and not exists (select 1 from dialtone.tenant_tags tag
                              where tag.tenant_id = \(tenant) and tag.shard > \(last))
            """,
        ]
    }
}
