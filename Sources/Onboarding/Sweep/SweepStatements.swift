// SPDX-License-Identifier: Apache-2.0
// What the ledger holds of a tag, for the sweep to hold the provider's list against, and the tag's count after it.

import Model
import Postgres
import Queue

/// What the ledger says of a tag and its credentials.
enum SweepStatements {
    /// Tenants with their last shard; those first whom no sweep has seen for longest.
    static func tags(of tenant: TenantID?) -> SQL {
        """
        select t.tenant_id, coalesce(max(g.shard), 0)
        from dialtone.tenants t left join dialtone.tenant_tags g using (tenant_id)
        where \(tenant)::text is null or t.tenant_id = \(tenant)
        group by t.tenant_id order by t.swept_at nulls first, t.tenant_id
        """
    }

    /// Index credentials_tag. `is_settled`: long enough in the ledger for a list to show it.
    static func ledger(of tag: String, landingTime: Duration) -> SQL {
        """
        select tenant_id, user_id, generation, provider_id, status,
               created_at < clock_timestamp() - \(landingTime),
               missing_since is not null, missing_since < clock_timestamp() - \(landingTime)
        from dialtone.credentials where tag = \(tag) and status <> 'deleted'
        """
    }

    /// Of ids that the tag's own rows do not explain: those in other tags, and those that were deleted long enough ago
    /// for a list not to show them.
    static func elsewhere(_ ids: [ProviderID], landingTime: Duration) -> SQL {
        """
        select provider_id, tenant_id, user_id, generation,
               status = 'deleted' and deleted_at < clock_timestamp() - \(landingTime),
               status = 'deleted'
        from dialtone.credentials where provider_id = any(\(ids))
        """
    }

    /// Users in order of their id, with how many generations they have had.
    static func users(of tenant: TenantID, after user: String, limit: Int) -> SQL {
        """
        select user_id, generation from dialtone.users where tenant_id = \(tenant) and user_id > \(user)
        order by user_id limit \(limit)
        """
    }

    /// What an unexplained credential is, by what is committed: an open question for the user's job (`evidence`), not
    /// wanted by anybody (`surplus`, or `second` when another id owns its generation), to be adopted (`orphan`), or of
    /// a generation whose commit was lost (`ahead`); nobody's (`stray`) when its user is gone besides.
    static func verdict(_ user: UserKey, _ generation: Generation) -> SQL {
        """
        select case
            when u.generation < \(generation) then case when u.wanted = 'live' then 'ahead' else 'stray' end
            when exists (select 1 from dialtone.credentials c where c.tenant_id = u.tenant_id and c.user_id = u.user_id
                         and c.generation = \(generation)) then 'second'
            when exists (select 1 from dialtone.jobs j where j.tenant_id = u.tenant_id and j.user_id = u.user_id
                         and j.generation = \(generation)) then 'evidence'
            when u.wanted = 'gone' or u.generation > \(generation) then 'surplus'
            else 'orphan' end
        from dialtone.users u where u.tenant_id = \(user.tenant) and u.user_id = \(user.user)
        """
    }

    static func missing(_ id: ProviderID, isMissing: Bool) -> SQL {
        """
        update dialtone.credentials
        set missing_since = case when \(isMissing) then coalesce(missing_since, clock_timestamp()) end
        where provider_id = \(id) and status = 'active' and (missing_since is null) = \(isMissing)
        """
    }

    /// Behind a lock on the shard's row, so that no claim takes a slot meanwhile: what the ledger and its jobs hold, or
    /// what the provider holds, whichever is more.
    static func count(_ tenant: TenantID, _ shard: Int32, tag: String, listed: Int) -> [SQL] {
        [
            """
            insert into dialtone.tenant_tags (tenant_id, shard, tag, opened)
            select \(tenant), \(shard), \(tag), null where \(listed > 0)
            on conflict do nothing
            """,
            "select held from dialtone.tenant_tags where tenant_id = \(tenant) and shard = \(shard) for no key update",
            """
            update dialtone.tenant_tags t
            set swept_at = clock_timestamp(),
                empty_since = case when \(listed) = 0 then coalesce(t.empty_since, clock_timestamp()) end,
                held = greatest(
                    \(Int32(listed)),
                    (select count(*)::int from dialtone.credentials c where c.tag = t.tag and c.status <> 'deleted')
                    + (select count(*)::int from dialtone.jobs j
                       where j.tenant_id = t.tenant_id and j.tag = t.tag
                         and not exists (select 1 from dialtone.credentials c
                                         where c.tenant_id = j.tenant_id and c.user_id = j.user_id
                                           and c.generation = j.generation and c.status <> 'deleted')))
            where t.tenant_id = \(tenant) and t.shard = \(shard)
            """,
        ]
    }

    /// The tag a credential is listed by is the one it has.
    static func retag(_ id: ProviderID, _ tag: String, of tenant: TenantID) -> SQL {
        """
        update dialtone.credentials set tag = \(tag)
        where provider_id = \(id) and tenant_id = \(tenant) and tag <> \(tag)
        """
    }
}
