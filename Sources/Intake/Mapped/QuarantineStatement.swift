// SPDX-License-Identifier: Apache-2.0
// The statement that puts events in quarantine: their rows in the ledger, and beside each what is kept of it.

import Foundation
import Model
import Postgres

enum QuarantineStatement {
    /// Locks events that the ledger has in quarantine without their notes, in key order. Returns no row.
    ///
    /// It is a statement of its own, before `keep`: what is settled meanwhile gets no note. Index events_pkey.
    static func lock(_ rows: QuarantineRows) -> SQL {
        """
        select 1 from (
            select event_id from dialtone.events where event_id = any(\(rows.notes.filter(\.isStored).map(\.event)))
            order by event_id for no key update) locked
        having count(*) < 0
        """
    }

    /// Writes the notes of one request. Returns for each its event, the event that the ledger has for it, and whether
    /// that is in quarantine. An event that can be used as little as before is not: it is only known.
    ///
    /// One row of a request has the body; see `bodies`. The others name the same `body_id`.
    static func keep(_ rows: QuarantineRows) -> SQL {
        """
        with note as materialized (\(Self.notes(rows))),
        waiting as materialized (\(Self.waiting(rows))),
        stored as (\(Self.stored(rows))),
        kept as (\(Self.kept(rows)))
        \(Self.outcome(rows))
        """
    }

    /// Returns the bodies that open rows of these events need and no row has. Indexes quarantine_pkey and
    /// quarantine_body. `offset 0` keeps both from becoming a join that walks the table.
    static func bodies(of events: [EventID], hash: [UInt8]) -> SQL {
        """
        select distinct needs.body_id
        from (select * from dialtone.quarantine where event_id = any(\(events)) offset 0) needs
        where needs.body_sha256 = \(Bytes(hash)) and needs.settled_at is null
          and needs.body_id is not null and not exists (
              select 1 from dialtone.quarantine holder
              where holder.body_id = needs.body_id and holder.settled_at is null and holder.sealed is not null
              offset 0)
        """
    }

    /// Puts the body on the last row that is still open. Returns a row where it did. One that is being settled is
    /// waited for, and the body is on no row then. Indexes quarantine_body and quarantine_pkey.
    static func keepBody(_ sealed: [UInt8], of body: EventID) -> SQL {
        """
        update dialtone.quarantine set sealed = \(Bytes(sealed))
        where event_id = (select last.event_id from dialtone.quarantine last
                          where last.body_id = \(body) and last.settled_at is null
                          order by last.event_id desc limit 1)
          and sealed is null and settled_at is null
        returning 1
        """
    }

    private static func notes(_ rows: QuarantineRows) -> SQL {
        let notes = rows.notes
        return """
            select * from unnest(
                \(notes.map(\.event)), \(notes.map { $0.storedID($0.deliveryID, rows.hash) }), \(notes.map(\.item)),
                \(notes.map { Int32($0.number) }), \(notes.map(\.span.rawValue)), \(notes.map(\.reason.text)),
                \(notes.map(\.reason.place)), \(notes.map(\.isStored)), \(rows.picks), \(notes.map(\.sentID)))
            as t (event_id, delivery_id, item, number, spans, reason, pointer, is_stored, picks, sent_id)
            """
    }

    /// Notes of events that the ledger has in quarantine: those that a writer has stored, and those whose time in
    /// quarantine is over. What comes again before that is known, and is not among them. Indexes events_pkey, the
    /// ledger's unique key and quarantine_pkey.
    private static func waiting(_ rows: QuarantineRows) -> SQL {
        """
        select note.*, ledger.event_id as known_id, coalesce(kept.is_open, false) as is_open
        from note cross join lateral (
            select events.event_id, events.outcome from dialtone.events
            where note.is_stored and events.event_id = note.event_id
            union all
            select events.event_id, events.outcome from dialtone.events
            where not note.is_stored and events.source_id = \(rows.source) and events.delivery_id = note.delivery_id
              and events.item = note.item
            offset 0) ledger
        left join lateral (
            select quarantine.settled_at is null as is_open, quarantine.settled_by from dialtone.quarantine
            where quarantine.event_id = ledger.event_id offset 0) kept on true
        where ledger.outcome = 'quarantined' and (note.is_stored or kept.settled_by = 'expired')
        """
    }

    /// Writes the ledger. A row in quarantine names no user. An event that the ledger has already stays as it is.
    /// Nothing is added to a delivery that an operator has dropped as a whole. Indexes: the ledger's unique key, and
    /// quarantine_pkey.
    private static func stored(_ rows: QuarantineRows) -> SQL {
        """
        insert into dialtone.events (event_id, source_id, delivery_id, item, tenant_id, outcome, received_at,
                                     config_version, secret_id, sent_id)
        select event_id, \(rows.source), delivery_id, item, \(rows.scope), 'quarantined', \(rows.receivedAt),
               \(rows.version), \(rows.secret), \(SentID.kept(of: "note", from: "\(rows.source)"))
        from note where not is_stored and not (item > 0 and exists (
            select 1 from (
                select events.event_id from dialtone.events
                where events.source_id = \(rows.source) and events.delivery_id = note.delivery_id
                  and events.item = 0 and events.outcome = 'ignored' offset 0) head
            cross join lateral (
                select spans, settled_by from dialtone.quarantine
                where quarantine.event_id = head.event_id offset 0) kept
            where kept.spans <> 'item' and kept.settled_by = 'dropped'))
        order by delivery_id collate "C", item
        on conflict (source_id, delivery_id, item) do nothing
        returning event_id
        """
    }

    /// The first row gives its id to the body of all. An event whose time in quarantine was over is open again, and has
    /// the body that has come. Index quarantine_pkey.
    private static func kept(_ rows: QuarantineRows) -> SQL {
        """
        insert into dialtone.quarantine (event_id, source_id, config_version, size, reason, tenant_id, pointer,
                                         body_sha256, picks, number, spans, body_id, arrived_at)
        select distinct on (event_id) event_id, \(rows.source), \(rows.version), \(rows.size), reason, \(rows.scope),
               pointer, \(Bytes(rows.hash)), picks::json, number, spans,
               coalesce(\(rows.joins?.body), first_value(event_id) over (order by event_id)),
               coalesce(\(rows.joins?.arrivedAt), clock_timestamp())
        from (select known_id as event_id, reason, pointer, picks, number, spans from waiting where not is_open
              union all
              select event_id, reason, pointer, picks, number, spans from note
              where (event_id in (select event_id from stored)) is true) new_note
        order by event_id
        on conflict (event_id) do update
        set arrived_at = excluded.arrived_at, config_version = excluded.config_version, size = excluded.size,
            settled_at = null, settled_by = null, reason = excluded.reason, pointer = excluded.pointer,
            tenant_id = excluded.tenant_id, body_sha256 = excluded.body_sha256, picks = excluded.picks,
            number = excluded.number, spans = excluded.spans, body_id = excluded.body_id
        where quarantine.settled_by = 'expired'
        """
    }

    /// An event that was known before, by the ledger's unique key. One that another node has committed meanwhile is not
    /// seen, and is told by our id.
    private static func outcome(_ rows: QuarantineRows) -> SQL {
        """
        select note.event_id, coalesce(known.event_id, note.event_id),
               note.event_id in (select event_id from waiting) or note.event_id in (select event_id from stored)
        from note left join lateral (
            select events.event_id from dialtone.events
            where events.source_id = \(rows.source) and events.delivery_id = note.delivery_id
              and events.item = note.item offset 0) known on true
        """
    }
}

extension QuarantineRows {
    /// The ids that the ledger may have in the form from before, each once.
    var moves: [MovedID] {
        let moves = self.notes.compactMap { note in
            note.formerID.map { former in
                MovedID(
                    source: self.source, former: note.storedID(former, self.hash),
                    now: note.storedID(note.deliveryID, self.hash), sent: note.sentID)
            }
        }
        return Array(Set(moves))
    }
}

extension QuarantineNote {
    /// The id under which the ledger has the delivery, by the one that it has for the sender's. One whose id was used
    /// for another event gets one of its own, of the id and what it holds. It is the same when that is sent again.
    fileprivate func storedID(_ id: String, _ hash: [UInt8]) -> String {
        guard self.reason == .reusedID || self.reason == .refused else { return id }
        let digits = hash.prefix(16).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
        return Reading.shortened("\(id)#\(digits.joined())")
    }
}
