// SPDX-License-Identifier: Apache-2.0
// The ledger's part in the search for missing credentials: which is next, and that one is there again.

import Model
import Postgres

enum MissingStatements {
    /// Reads the missing credential after `place` whose first 404 is `settle` old: tenant, user, id, and since when.
    /// Index credentials_missing.
    static func next(after place: MissingCredentials.Place, settle: Duration) -> SQL {
        """
        select tenant_id, user_id, provider_id, missing_since::text from dialtone.credentials
        where status = 'active' and missing_since is not null and missing_since < statement_timestamp() - \(settle)
          and (missing_since, provider_id) > (\(place.since)::text::timestamptz, \(place.id)::text)
        order by credentials.missing_since, credentials.provider_id limit 1
        """
    }

    /// Reads whether an active credential is missing still. No row: it is not active any more. Index
    /// credentials_provider_id_key. `offset 0` keeps the partial indexes out.
    static func state(of id: ProviderID) -> SQL {
        """
        select missing_since is not null
        from (select missing_since, status from dialtone.credentials where provider_id = \(id) offset 0) credential
        where status = 'active'
        """
    }

    /// It is there again. Index credentials_provider_id_key. `coalesce` keeps the partial indexes out.
    static func isThere(_ id: ProviderID) -> SQL {
        """
        update dialtone.credentials set missing_since = null
        where provider_id = \(id) and coalesce(status = 'active', false) and missing_since is not null
        """
    }
}
