// SPDX-License-Identifier: Apache-2.0
// A tenant's tag in shards, because the provider lets a tag hold 1000 credentials: which is open, and when the next one
// is.

import Logging
package import Model
package import Postgres

/// The shards of a tenant's tag: `acme`, `acme.2`, … The one opened last is open.
package enum TagShards {
    /// Opens the tenant's next tag, unless somebody just did. False when the database is away.
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

    /// Opens a tenant's first shard, or another when the open one is full: one that has room again, else the next
    /// number.
    ///
    /// Two statements of one transaction: the tenant's row orders the nodes that ask at the same time, and the second
    /// statement sees what the one before has opened. Index tenant_tags_opened, from its end.
    package static func openNext(for tenant: TenantID, capacity: Int) -> [SQL] {
        [
            "select tenant_id from dialtone.tenants where tenant_id = \(tenant) for no key update",
            """
            with last as (
                select opened, held < least(room, \(Int32(capacity))) as has_room from dialtone.tenant_tags
                where tenant_id = \(tenant) and opened is not null order by opened desc limit 1),
            next as (
                select coalesce(
                    (select min(t.shard) from dialtone.tenant_tags t
                     where t.tenant_id = \(tenant) and t.held <= least(t.room, \(Int32(capacity))) * 3 / 4),
                    (select max(t.shard) + 1 from dialtone.tenant_tags t where t.tenant_id = \(tenant)), 1) as shard
                where not exists (select 1 from last where has_room))
            insert into dialtone.tenant_tags as t (tenant_id, shard, tag, opened)
            select \(tenant), shard, \(Self.tag(of: tenant)), coalesce((select opened + 1 from last), 0) from next
            on conflict (tenant_id, shard) do update set opened = excluded.opened
            """,
        ]
    }

    /// `acme`, `acme.2`, … of a column `shard`.
    private static func tag(of tenant: TenantID) -> SQL {
        "\(tenant)::text || case when shard = 1 then '' else '.' || shard end"
    }

    /// The name of one shard.
    package static func name(_ shard: Int32, of tenant: TenantID) -> String {
        shard == 1 ? tenant.rawValue : "\(tenant).\(shard)"
    }

    /// The provider refused one more credential under this tag, which holds `total`: full, whatever we counted, until
    /// it holds fewer.
    package static func isFull(_ tag: String, of tenant: TenantID, total: Int) -> SQL {
        """
        update dialtone.tenant_tags set held = greatest(held, \(Int32(total))), room = least(room, \(Int32(total)))
        where tenant_id = \(tenant) and tag = \(tag)
        """
    }
}
