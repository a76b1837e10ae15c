// SPDX-License-Identifier: Apache-2.0
// Delivery ids that the ledger has in the form from before take the form of now: the sender's own, or a hash of it.

import Model
import Postgres

/// The proofs of a source may come to sign a time, or to sign none. A delivery from before that comes again must meet
/// its rows. Where the proofs have always been of one kind, nothing is asked.
enum HiddenIDs {
    /// A statement that meets another node's insert is run again so often.
    private static let repeats = 3

    /// Runs before the statements of a batch, in a commit of its own: it locks events, and they lock users first.
    /// `isInTransaction`: one is open, and it ends where another node is faster. Its caller tries again.
    ///
    /// Cancelled here: shielded, as the batch is.
    static func replace<Event: MappedEvent>(
        in events: [Event], isInTransaction: Bool, on connection: PostgresConnection
    ) async throws {
        var moves: Set<MovedID> = []
        for event in events {
            guard let former = event.formerID else { continue }
            moves.insert(
                MovedID(source: event.source, former: former, now: event.deliveryID, sent: event.sentID))
        }
        try await Self.replace(Array(moves), isInTransaction: isInTransaction, on: connection)
    }

    /// The same for these ids, each once.
    ///
    /// Cancelled here: shielded.
    static func replace(
        _ moves: [MovedID], isInTransaction: Bool, on connection: PostgresConnection
    ) async throws {
        // Nearly always there is none, and every batch comes here.
        guard !moves.isEmpty else { return }
        let statement = Self.replace(moves)
        for _ in 0..<Self.repeats {
            do throws(PostgresError) {
                _ = try await connection.query(statement, shielded: true)
                return
            } catch {
                // Another node has stored the delivery meanwhile, and a new look sees it.
                guard error.isUniqueViolation, !isInTransaction else { throw error }
            }
        }
        throw IntakeError.unavailable
    }

    /// Where the ledger has the id of now already, all stays. So it does where a person of the delivery was erased and
    /// the source signs a time now: the sender's id may name that person.
    ///
    /// Locks the events in the order of source, id and item. What an erasure or an operator has emptied gets no
    /// sender's id back. Indexes: the ledger's unique key, and events_pkey.
    static func replace(_ moves: [MovedID]) -> SQL {
        """
        with told as materialized (
            select t.source_id, t.former_id, t.now_id, t.sent_id, erased.is_there as is_erased
            from unnest(\(moves.map(\.source)), \(moves.map(\.former)), \(moves.map(\.now)), \(moves.map(\.sent)))
                as t (source_id, former_id, now_id, sent_id)
            cross join lateral (
                select exists (
                    select 1 from dialtone.events gone
                    where gone.source_id = t.source_id and gone.delivery_id = t.former_id
                      and gone.detail = 'erased' offset 0) as is_there offset 0) erased
            where not exists (select 1 from dialtone.events held
                              where held.source_id = t.source_id and held.delivery_id = t.now_id offset 0)
              and (t.sent_id is not null or not erased.is_there)
            order by t.source_id, t.former_id collate "C"),
        found as materialized (
            select one.event_id, told.now_id, case when not told.is_erased then told.sent_id end as sent_id
            from told cross join lateral (
                select events.event_id from dialtone.events
                where events.source_id = told.source_id and events.delivery_id = told.former_id
                  -- A row with a sender's id has a hash already: a delivery's own id may have the form of one.
                  and (told.former_id is distinct from told.sent_id or events.sent_id is null)
                order by events.item for update of events) one)
        update dialtone.events
        set delivery_id = found.now_id, sent_id = case when events.outcome <> 'ignored' then found.sent_id end
        from found
        where events.event_id = any(array(select event_id from found)) and events.event_id = found.event_id
        """
    }
}
