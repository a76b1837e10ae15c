// SPDX-License-Identifier: Apache-2.0
// How a tenant's creates need not look first any more: each of its tags was listed whole since the server changed.

package import Foundation
package import Model
package import Postgres

/// Trust by tag. A tag is seen when a whole list of it began after the quiet time of this era, and all that it showed
/// was dealt with. A count never gives trust: what was made and what was deleted hide each other. A tenant is seen when
/// all its tags are. Another server or another database is another era, in which nothing is seen.
package enum TenantTrust {
    /// Notes that a whole list of a tag was dealt with, in three statements of one transaction.
    ///
    /// `era` and `began` are those of the statement that took the tag for this visit. A visit that another server has
    /// overtaken brings an era that is over, and changes nothing.
    ///
    /// The first statement locks the tenant's row. A node that opens a shard holds it (`TagShards.openNext`). So the
    /// third one has a snapshot that shows every shard opened before, and a shard opened afterwards sees the verdict.
    /// Indexes tenants_pkey and tenant_tags_pkey.
    package static func saw(_ tenant: TenantID, shard: Int32, era: Int64, began: Date) -> [SQL] {
        [
            "select tenant_id from dialtone.tenants where tenant_id = \(tenant) for no key update",
            """
            update dialtone.tenant_tags set seen_era = \(era)
            where tenant_id = \(tenant) and shard = \(shard)
              -- What was sent to the server before may have landed after a list that began sooner.
              and exists (select 1 from dialtone.incarnation
                          where incarnation.era = \(era) and coalesce(incarnation.quiet_until <= \(began), true))
            """,
            """
            update dialtone.tenants set seen_era = \(era)
            where tenant_id = \(tenant) and seen_era is distinct from \(era)
              and exists (select 1 from dialtone.incarnation where incarnation.era = \(era))
              and exists (select 1 from dialtone.tenant_tags tag
                          where tag.tenant_id = \(tenant) and tag.shard = \(shard) and tag.seen_era = \(era) offset 0)
              and not exists (select 1 from dialtone.tenant_tags tag
                              where tag.tenant_id = \(tenant) and tag.seen_era is distinct from \(era) offset 0)
            """,
        ]
    }

    /// Takes trust away, because the tag shows names that no worker may have in its memory yet. The statements are one
    /// transaction, which locks the tenant and then the tag, as `saw` does. Indexes tenants_pkey and tenant_tags_pkey.
    package static func forget(_ tenant: TenantID, shard: Int32) -> [SQL] {
        [
            "update dialtone.tenants set seen_era = null where tenant_id = \(tenant)",
            "update dialtone.tenant_tags set seen_era = null where tenant_id = \(tenant) and shard = \(shard)",
        ]
    }
}
