// SPDX-License-Identifier: Apache-2.0
// The ledger's side of the comparison with a tag's list, and the tag's count after it.

import Model
import Postgres
import Queue

/// The sweep's questions to the ledger, and what it writes about a tag.
enum SweepStatements {
    /// Reads each tenant with its last shard; tenants that no sweep has seen for longest come first.
    static func tags(of tenant: TenantID?) -> SQL {
        """
        select tenant.tenant_id, coalesce(max(tag.shard), 0)
        from dialtone.tenants tenant left join dialtone.tenant_tags tag using (tenant_id)
        where \(tenant)::text is null or tenant.tenant_id = \(tenant)
        group by tenant.tenant_id order by tenant.swept_at nulls first, tenant.tenant_id
        """
    }

    /// Reads the tag's credentials. The last three columns say whether a list should show it, whether it is missing,
    /// and whether it has been missing for a landing time. Index credentials_tag.
    static func ledger(of tag: String, landingTime: Duration) -> SQL {
        """
        select tenant_id, user_id, generation, provider_id, status,
               created_at < clock_timestamp() - \(landingTime),
               missing_since is not null, missing_since < clock_timestamp() - \(landingTime)
        from dialtone.credentials where tag = \(tag) and status <> 'deleted'
        """
    }

    /// Reads which of these ids the ledger has in any tag. The last two columns say whether it was deleted so long ago
    /// that no list should show it, and whether it is deleted at all. Index credentials_provider_id_key.
    static func elsewhere(_ ids: [ProviderID], landingTime: Duration) -> SQL {
        """
        select provider_id, tenant_id, user_id, generation,
               status = 'deleted' and deleted_at < clock_timestamp() - \(landingTime),
               status = 'deleted'
        from dialtone.credentials where provider_id = any(\(ids))
        """
    }

    /// Reads users in the order of their ids, with the number of generations they have had.
    static func users(of tenant: TenantID, after user: String, limit: Int) -> SQL {
        """
        select user_id, generation from dialtone.users where tenant_id = \(tenant) and user_id > \(user)
        order by user_id limit \(limit)
        """
    }

    /// Decides by committed rows what a credential is that the ledger does not have. No row: the user is unknown.
    ///
    /// - `ahead`: of a generation whose commit was lost.
    /// - `stray`: the same, of a user who is gone; nobody will have it.
    /// - `second`: another id owns its generation.
    /// - `evidence`: the user's job of this generation is to look.
    /// - `surplus`: nobody wants it.
    /// - `orphan`: wanted, and no job would find it.
    static func verdict(_ user: UserKey, _ generation: Generation) -> SQL {
        """
        select case
            when owner.generation < \(generation) then case when owner.wanted = 'live' then 'ahead' else 'stray' end
            when exists (select 1 from dialtone.credentials credential
                         where credential.tenant_id = owner.tenant_id and credential.user_id = owner.user_id
                           and credential.generation = \(generation)) then 'second'
            when exists (select 1 from dialtone.jobs job
                         where job.tenant_id = owner.tenant_id and job.user_id = owner.user_id
                           and job.generation = \(generation)) then 'evidence'
            when owner.wanted = 'gone' or owner.generation > \(generation) then 'surplus'
            else 'orphan' end
        from dialtone.users owner where owner.tenant_id = \(user.tenant) and owner.user_id = \(user.user)
        """
    }

    /// Notes since when an active credential is missing, or that it is there again.
    static func missing(_ id: ProviderID, isMissing: Bool) -> SQL {
        """
        update dialtone.credentials
        set missing_since = case when \(isMissing) then coalesce(missing_since, clock_timestamp()) end
        where provider_id = \(id) and status = 'active' and (missing_since is null) = \(isMissing)
        """
    }

    /// Writes how many slots of a shard are taken: what the ledger and its jobs hold, or what the provider holds,
    /// whichever is more.
    ///
    /// The statements are one transaction. The second locks the shard's row, so that no claim takes a slot before the
    /// third has counted under its own, later snapshot. A shard that only the provider knew gets a row first.
    static func count(_ tenant: TenantID, _ shard: Int32, tag: String, listed: Int) -> [SQL] {
        [
            """
            insert into dialtone.tenant_tags (tenant_id, shard, tag, opened)
            select \(tenant), \(shard), \(tag), null where \(listed > 0)
            on conflict do nothing
            """,
            "select held from dialtone.tenant_tags where tenant_id = \(tenant) and shard = \(shard) for no key update",
            """
            update dialtone.tenant_tags counted
            set swept_at = clock_timestamp(),
                empty_since = case when \(listed) = 0 then coalesce(counted.empty_since, clock_timestamp()) end,
                held = greatest(
                    \(Int32(listed)),
                    -- Index credentials_tag.
                    (select count(*)::int from dialtone.credentials credential
                     where credential.tag = counted.tag and credential.status <> 'deleted')
                    -- Index jobs_tag. A job whose credential is recorded already is counted above.
                    + (select count(*)::int from dialtone.jobs job
                       where job.tenant_id = counted.tenant_id and job.tag = counted.tag
                         and not exists (select 1 from dialtone.credentials credential
                                         where credential.tenant_id = job.tenant_id
                                           and credential.user_id = job.user_id
                                           and credential.generation = job.generation
                                           and credential.status <> 'deleted')))
            where counted.tenant_id = \(tenant) and counted.shard = \(shard)
            """,
        ]
    }

    /// Corrects the tag of a credential to the one that it is listed under.
    static func retag(_ id: ProviderID, _ tag: String, of tenant: TenantID) -> SQL {
        """
        update dialtone.credentials set tag = \(tag)
        where provider_id = \(id) and tenant_id = \(tenant) and tag <> \(tag)
        """
    }
}
