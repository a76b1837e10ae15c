// SPDX-License-Identifier: Apache-2.0
// A tenant's tag in shards, because the provider lets one tag hold 1000 credentials: which shard is open for new ones.

import Logging
package import Model
package import Postgres

/// The shards of a tenant's tag: `acme`, `acme.2`, … The shard opened last is the open one, from which claims take
/// slots.
package enum TagShards {
    /// Opens the tenant's next shard, unless another node has just done so. Returns false when the statements failed.
    static func open(for tenant: TenantID, capacity: Int, on pool: PostgresPool, _ logger: Logger) async -> Bool {
        do {
            let statements = Self.openNext(for: tenant, capacity: capacity)
            for answer in try await pool.withConnection({ try await $0.pipeline([statements]) }).joined() {
                _ = try answer.get()
            }
            return true
        } catch {
            logger.warning("a tag cannot be opened", metadata: ["tenant": "\(tenant)", "error": "\(error)"])
            return false
        }
    }

    /// Opens a tenant's first shard, or another one when the open shard is full. A shard that has room again comes
    /// before the next number.
    ///
    /// The two statements are one transaction. The first locks the tenant's row, which orders the nodes that ask at the
    /// same time. The second has a later snapshot, so it sees the shard that the node before has opened.
    ///
    /// A new shard is seen when its tenant is: the visit that saw the tenant's last shard has found nothing beyond it
    /// (`TenantTrust`). The tenant's row is locked, so the tenant cannot be declared seen meanwhile without this shard.
    /// Its first visit counts what the first creates have made. A shard of an unseen tenant is listed at once.
    package static func openNext(for tenant: TenantID, capacity: Int) -> [SQL] {
        [
            "select tenant_id from dialtone.tenants where tenant_id = \(tenant) for no key update",
            """
            with last as (
                -- Index tenant_tags_opened, from its end.
                select opened, held < least(room, \(Int32(capacity))) as has_room from dialtone.tenant_tags
                where tenant_id = \(tenant) and opened is not null order by opened desc limit 1),
            next as (
                select coalesce(
                    -- A shard is opened again when a quarter of it is free; `least` ignores a null room.
                    (select min(tag.shard) from dialtone.tenant_tags tag
                     where tag.tenant_id = \(tenant) and tag.held <= least(tag.room, \(Int32(capacity))) * 3 / 4),
                    (select max(tag.shard) + 1 from dialtone.tenant_tags tag where tag.tenant_id = \(tenant)),
                    1) as shard
                where not exists (select 1 from last where has_room))
            insert into dialtone.tenant_tags as tag (tenant_id, shard, tag, opened, seen_era, changed_at, due_at)
            select \(tenant), shard, \(Self.tag(of: tenant)), coalesce((select opened + 1 from last), 0), trust.era,
                   clock_timestamp(), clock_timestamp() + case when trust.is_seen then interval '10 minutes'
                                                               else interval '0' end
            from next cross join (
                select tenant.seen_era as era,
                       exists (select 1 from dialtone.incarnation
                               where incarnation.era = tenant.seen_era) as is_seen
                from dialtone.tenants tenant where tenant.tenant_id = \(tenant)) trust
            on conflict (tenant_id, shard) do update set opened = excluded.opened, changed_at = excluded.changed_at
            """,
        ]
    }

    /// Returns an expression for the name of the shard whose number is in column `shard`: `acme`, `acme.2`, …
    private static func tag(of tenant: TenantID) -> SQL {
        "\(tenant)::text || case when shard = 1 then '' else '.' || shard end"
    }

    /// Returns the name of one shard.
    package static func name(_ shard: Int32, of tenant: TenantID) -> String {
        shard == 1 ? tenant.rawValue : "\(tenant).\(shard)"
    }

    /// Notes that the provider has refused one more credential under this tag, which holds `total`. The tag then counts
    /// as full, whatever the ledger has counted, until it holds fewer.
    package static func isFull(_ tag: String, of tenant: TenantID, total: Int) -> SQL {
        """
        update dialtone.tenant_tags
        set held = greatest(held, \(Int32(total))), room = least(room, \(Int32(total))), changed_at = clock_timestamp()
        where tenant_id = \(tenant) and tag = \(tag)
        """
    }
}
