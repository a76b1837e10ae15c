// SPDX-License-Identifier: Apache-2.0
// What the ledger holds of an event that another node was faster with, and what is put right then.

import Model
import Postgres

enum LedgerLookup {
    /// Writes down that these events were superseded, after a user was inserted by another node. Index events_pkey.
    static func supersede(_ ids: [EventID]) -> SQL {
        "update dialtone.events set outcome = 'superseded' where event_id = any(\(ids)) and outcome = 'accepted'"
    }

    /// The event of a delivery, whether it says the same, and whether it is in quarantine. Index: the ledger's unique
    /// key.
    static func known(_ event: NewEvent) -> SQL {
        """
        select event_id, outcome in ('quarantined', 'ignored')
                         or tenant_id = \(event.tenant) and user_id is not distinct from \(event.change.user.user)
                         and wanted is not distinct from \(event.change.wanted),
               outcome = 'quarantined'
        from dialtone.events
        where source_id = \(event.source) and delivery_id = \(event.deliveryID) and item = \(event.item)
        """
    }

    /// The same for a word of a tracked source, and whether its event is in quarantine. A row in quarantine names no
    /// user and says the same as any.
    static func known(_ word: NewWord) -> SQL {
        """
        select event_id, outcome in ('quarantined', 'ignored')
                         or user_id = \(word.word.person) and wanted = \(word.asks)
                            and external_tenant is not distinct from \(word.organization),
               outcome = 'quarantined'
        from dialtone.events
        where source_id = \(word.source) and delivery_id = \(word.deliveryID) and item = \(word.item)
        """
    }
}

extension EventStatement {
    /// The generation with which a user begins who is new to a tenant of the rows, where people were erased there: above
    /// theirs. All other users begin with 1, and nearly always no tenant is here.
    ///
    /// The function reads what was committed up to its call. `distinct` has taken all rows by then, so every lock of
    /// the statement is held, also one that has waited for an erasure. A statement that read the tenant itself would
    /// read it as of its own beginning. Index tenants_pkey.
    static func firstGenerations(in rows: SQL) -> SQL {
        """
        select named.tenant_id, named.generation
        from (select tenant_id, dialtone.first_generation(tenant_id) as generation
              from (select distinct tenant_id from \(rows)) tenant offset 0) named
        where named.generation > 1
        """
    }

    /// The first generation of a tenant, by `beginning`. The parameter is the tenant's column.
    static func firstGeneration(of tenant: SQL) -> SQL {
        "coalesce((select beginning.generation from beginning where beginning.tenant_id = \(tenant)), 1)"
    }

    /// What the ledger says of an event that it knew before. Index: its unique key.
    static let knownOrQuarantined: SQL = """
        case when exists (
            select 1 from dialtone.events
            where events.source_id = told.source_id and events.delivery_id = told.delivery_id
              and events.item = told.item and events.outcome = 'quarantined')
        then 'quarantined' else 'duplicate' end
        """
}
