// SPDX-License-Identifier: Apache-2.0
// Which ids that the provider has shown stand nowhere in the ledger.

import Model
import Postgres

enum UnknownCredentials {
    /// Reads those of the ids that stand neither in `credentials` nor in `surplus`. A stray counts as unknown while a
    /// job may adopt it. Indexes credentials_provider_id_key and surplus_pkey: `offset 0` keeps each look on its key.
    static func among(_ ids: [ProviderID]) -> SQL {
        """
        select found.id from unnest(\(ids)) as found (id)
        where not exists (select 1 from dialtone.credentials where credentials.provider_id = found.id offset 0)
          and not exists (select 1 from dialtone.surplus
                          where surplus.provider_id = found.id and \(Stray.isRefused) offset 0)
        """
    }

    static func read(_ row: PostgresRow) throws -> ProviderID {
        var columns = row.columns
        return try columns.next()
    }
}
