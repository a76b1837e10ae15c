// SPDX-License-Identifier: Apache-2.0
// The sender's own id of a delivery beside the hash: not where a person of the delivery was erased.

import Postgres

enum SentID {
    /// What a new row keeps of the sender's id. The same delivery may come again after an erasure and bring an item that
    /// the ledger has not. Its id may name whom the ledger has forgotten.
    ///
    /// `row` has `delivery_id` and `sent_id`. A hash may have a suffix, where its id was used for another event. Sources
    /// that sign a time have no `sent_id`, so nothing is looked up for them. Index: the ledger's unique key.
    static func kept(of row: String, from source: SQL) -> SQL {
        """
        case when \(unsafeText: row).sent_id is not null and not exists (
                 select 1 from dialtone.events gone
                 where gone.source_id = \(source) and gone.delivery_id = split_part(\(unsafeText: row).delivery_id, '#', 1)
                   and gone.detail = 'erased' offset 0)
             then \(unsafeText: row).sent_id end
        """
    }
}
