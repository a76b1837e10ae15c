// SPDX-License-Identifier: Apache-2.0
// Whether an event's word stands at its place still.

import Model
import Postgres

extension ReplayWriting {
    /// Whether the events of this delivery that counted stand where today's mapping reads the same people. Another
    /// mapping may pass an item that was counted before; the word at the event's place is another one's then. Index: the
    /// ledger's unique key, by its first columns.
    ///
    /// Cancelled here: the caller's transaction is rolled back.
    func isNumberedAlike(on connection: PostgresConnection) async throws -> Bool {
        guard self.event.span == .item else { return true }
        let rows = try await connection.query(
            """
            select item, user_id from dialtone.events
            where source_id = \(self.source.id) and delivery_id = \(self.event.deliveryID) and user_id is not null
              and event_id <> \(self.event.id)
            """)
        return try rows.allSatisfy { row in
            var columns = row.columns
            let item: Int32 = try columns.next()
            let user: String = try columns.next()
            return self.reading.words[item]?.person.rawValue == user
        }
    }
}
