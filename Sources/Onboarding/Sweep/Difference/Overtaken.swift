// SPDX-License-Identifier: Apache-2.0
// A generation that the ledger has forgotten, of a user who is gone: a word from after the loss closes it.

import Model
import Postgres

extension SweepCorrections {
    /// Closes a generation that the ledger has forgotten, of a user who is gone by a word from after that. A later
    /// sign-up then opens one beyond it. The last statement finds a row when the generation is closed now, by whomever.
    static func overtake(_ name: OwnedName) -> [SQL] {
        [
            UserLock.take(name.user),
            """
            update dialtone.users set generation = \(name.generation)
            where tenant_id = \(name.user.tenant) and user_id = \(name.user.user) and wanted = 'gone'
              and generation < \(name.generation)
              and greatest(received_at, held_at) > (select changed_at from dialtone.incarnation)
            """,
            """
            select 1 from dialtone.users
            where tenant_id = \(name.user.tenant) and user_id = \(name.user.user)
              and (generation > \(name.generation) or wanted = 'gone' and generation = \(name.generation))
            """,
        ]
    }
}
