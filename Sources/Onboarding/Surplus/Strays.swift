// SPDX-License-Identifier: Apache-2.0
// Credentials in our tags under our names that no user of the ledger can have: shown, and never deleted unasked.

import Model
import Postgres

/// The rows of `strays`.
enum Strays {
    /// Marks a stray that an operator has ordered to be deleted. From then on a look leaves it out and a record refuses
    /// it, so no job adopts it.
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

    /// Forgets strays that a job has adopted meanwhile. After a full sweep that saw all (`sawAll`) also those that it
    /// has not met again.
    static func forgetGone(sawAll: Bool) -> SQL {
        """
        delete from dialtone.strays s
        where \(sawAll) and s.found_at < (select started_at from dialtone.sweep)
           or exists (select 1 from dialtone.credentials c where c.provider_id = s.provider_id)
        """
    }
}
