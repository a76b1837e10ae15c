// SPDX-License-Identifier: Apache-2.0
// Credentials under our name that the ledger does not own: remembered, and deleted once a committed row proves it.

import Model
import Postgres
import Queue

/// Some of one generation of one user.
struct Surplus: Sendable {
    var ids: [ProviderID]
    var user: UserKey
    var generation: Generation
    var name: String
    var tag: String?

    /// Behind the user's lock and under a snapshot taken after it, so that an id stands here or in `credentials`, never
    /// in both: whoever records a credential holds the same lock.
    var statements: [SQL] {
        [
            UserLock.take(self.user),
            """
            insert into dialtone.surplus (provider_id, tenant_id, user_id, generation, name, tag)
            select id, \(self.user.tenant), \(self.user.user), \(self.generation), \(self.name), \(self.tag)
            from unnest(\(self.ids)) as t (id)
            where not exists (select 1 from dialtone.credentials c where c.provider_id = id)
            on conflict (provider_id) do update set deleted_at = null where surplus.deleted_at is not null
            """,
        ]
    }

    /// Those of these ids that are known as surplus, or about to be deleted as nobody's.
    static func among(_ ids: [ProviderID]) -> SQL {
        """
        select provider_id from dialtone.surplus where provider_id = any(\(ids))
        union select provider_id from dialtone.strays where provider_id = any(\(ids)) and doomed_at is not null
        """
    }

    /// Takes one that may be deleted now, for one deleter at a time. Index surplus_open.
    ///
    /// Committed rows must show that the generation is owned by another id, or closed: the user has a later one, or is
    /// gone, and no job works on it. Nothing while the ledger may have lost what it knew of the tenant, or stands on
    /// another system.
    static func due(hold: Duration) -> SQL {
        """
        with due as materialized (
            select s.provider_id from dialtone.surplus s
            where s.deleted_at is null and coalesce(s.claimed_until < clock_timestamp(), true)
              and not exists (select 1 from dialtone.credentials c where c.provider_id = s.provider_id)
              and (exists (select 1 from dialtone.credentials c
                           where c.tenant_id = s.tenant_id and c.user_id = s.user_id and c.generation = s.generation)
                   or exists (select 1 from dialtone.users u
                              where u.tenant_id = s.tenant_id and u.user_id = s.user_id
                                and (u.generation > s.generation or u.wanted = 'gone' and u.generation = s.generation)
                                and not exists (select 1 from dialtone.jobs j
                                                where j.tenant_id = u.tenant_id and j.user_id = u.user_id
                                                  and j.generation = s.generation)))
              and exists (select 1 from dialtone.incarnation i
                          where i.started = \(ServerClock.start) and not i.is_stopped
                            and (not i.looks_first
                                 or exists (select 1 from dialtone.tenants t
                                            where t.tenant_id = s.tenant_id and t.swept_under = i.started)))
            order by s.found_at limit 1 for no key update of s skip locked)
        update dialtone.surplus s
        set claimed_until = clock_timestamp() + \(hold)
        from due where s.provider_id = due.provider_id
        returning s.provider_id
        """
    }

    /// An id that was recorded while it was being taken for surplus is owned. Index surplus_open.
    static let disown: SQL = """
        delete from dialtone.surplus s using dialtone.credentials c
        where s.deleted_at is null and c.provider_id = s.provider_id
        """

    /// The provider answered 200 or 404.
    static func deleted(_ id: ProviderID) -> SQL {
        "update dialtone.surplus set deleted_at = clock_timestamp() where provider_id = \(id) and deleted_at is null"
    }

    /// It did not work; the next try waits longer, up to ten minutes.
    static func failed(_ id: ProviderID) -> SQL {
        """
        update dialtone.surplus
        set attempts = attempts + 1,
            claimed_until = clock_timestamp() + least(600, power(2, least(attempts, 10))) * interval '1 second'
        where provider_id = \(id) and deleted_at is null
        """
    }
}
