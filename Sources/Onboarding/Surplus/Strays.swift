// SPDX-License-Identifier: Apache-2.0
// Credentials in our tags under our names that nobody in the ledger can have: told to an operator, never deleted unasked.

import Model
import Postgres

/// The rows of `strays`.
enum Strays {
    /// From here on no job adopts it: a look leaves it out, a record refuses it.
    static func doom(_ id: ProviderID, name: String, tag: String) -> SQL {
        """
        insert into dialtone.strays (provider_id, name, tag, doomed_at)
        values (\(id), \(name), \(tag), clock_timestamp())
        on conflict (provider_id) do update set doomed_at = clock_timestamp(), found_at = clock_timestamp()
        """
    }

    static func owner(of id: ProviderID) -> SQL {
        "select 1 from dialtone.credentials where provider_id = \(id)"
    }

    static func forget(_ id: ProviderID) -> SQL {
        "delete from dialtone.strays where provider_id = \(id)"
    }

    static func remember(_ strays: [(id: ProviderID, name: String, tag: String)]) -> SQL {
        """
        insert into dialtone.strays (provider_id, name, tag)
        select * from unnest(\(strays.map(\.id)), \(strays.map(\.name)), \(strays.map(\.tag)))
        on conflict (provider_id) do update set found_at = clock_timestamp()
        """
    }

    /// Strays a full sweep has not met again, or that a job has adopted meanwhile.
    static func forgetGone(sawAll: Bool) -> SQL {
        """
        delete from dialtone.strays s
        where \(sawAll) and s.found_at < (select started_at from dialtone.sweep)
           or exists (select 1 from dialtone.credentials c where c.provider_id = s.provider_id)
        """
    }
}
