// SPDX-License-Identifier: Apache-2.0
// What the ledger has under a sender's own id that names a person goes under the hash of it.

import Model
import Postgres

/// A row may have the id itself: another mapping read no person when it came, or the source had other proofs. Its
/// delivery that comes again must meet it.
enum HiddenIDs {
    /// Runs before the statements of a batch, in a commit of its own: it locks events, and they lock users first.
    ///
    /// Cancelled here: shielded, as the batch is.
    static func replace<Event: MappedEvent>(in events: [Event], on connection: PostgresConnection) async throws {
        var sent: [DeliveryKey: String] = [:]
        for event in events {
            if let id = event.sentID { sent[event.delivery] = id }
        }
        // Nearly always there is none, and every batch comes here.
        guard !sent.isEmpty else { return }
        let statement = Self.replace(sent.keys.map(\.source), Array(sent.values), by: sent.keys.map(\.id))
        do throws(PostgresError) {
            _ = try await connection.query(statement, shielded: true)
        } catch {
            guard error.isUniqueViolation else { throw error }
            // Another node has stored the delivery meanwhile, and a new look sees it.
            _ = try await connection.query(statement, shielded: true)
        }
    }

    /// Where the ledger has the hash already, all stays. Indexes: the ledger's unique key, and events_pkey.
    static func replace(_ sources: [SourceID], _ sent: [String], by hashes: [String]) -> SQL {
        """
        with found as materialized (
            select events.event_id, told.sent, told.hash
            from unnest(\(sources), \(sent), \(hashes)) as told (source_id, sent, hash)
            cross join lateral (
                select events.event_id from dialtone.events
                where events.source_id = told.source_id and events.delivery_id = told.sent offset 0) events
            where not exists (select 1 from dialtone.events hidden
                              where hidden.source_id = told.source_id and hidden.delivery_id = told.hash offset 0))
        update dialtone.events set delivery_id = found.hash from found
        where events.event_id = any(array(select event_id from found)) and events.event_id = found.event_id
          and events.delivery_id = found.sent
        """
    }
}
