// SPDX-License-Identifier: Apache-2.0
// What the ledger holds of an event that another node was faster with, and what is put right then.

import Model
import Postgres

enum LedgerLookup {
    /// Writes down that these events were superseded, after a user was inserted by another node. Index events_pkey.
    static func supersede(_ ids: [EventID]) -> SQL {
        "update dialtone.events set outcome = 'superseded' where event_id = any(\(ids)) and outcome = 'accepted'"
    }

    /// The event of a delivery, and whether it says the same. Index: the ledger's unique key.
    static func known(_ event: NewEvent) -> SQL {
        """
        select event_id, tenant_id = \(event.tenant) and user_id is not distinct from \(event.change.user.user)
                         and wanted is not distinct from \(event.change.wanted)
        from dialtone.events
        where source_id = \(event.source) and delivery_id = \(event.deliveryID) and item = \(event.item)
        """
    }
}
