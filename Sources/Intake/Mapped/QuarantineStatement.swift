// SPDX-License-Identifier: Apache-2.0
// The statement that puts events in quarantine: their rows in the ledger, and beside each what is kept of it.

import Foundation
import Model
import Postgres

enum QuarantineStatement {
    /// Writes the notes of one request. Returns for each its event, the event that the ledger has for it, and whether
    /// that is in quarantine by this statement.
    ///
    /// One row of a request has the body; see `bodies`. The hash of the others leads to it.
    static func keep(_ request: QuarantinedRequest, picks: [String], hash: [UInt8]) -> SQL {
        """
        with note as materialized (\(Self.notes(request, picks, hash))),
        stored as (\(Self.stored(request))),
        kept as (\(Self.kept(request, hash)))
        \(Self.outcome(request))
        """
    }

    /// Returns the open rows of these events that are of this body, and of each whether it has the body. Index
    /// quarantine_pkey.
    static func bodies(of events: [EventID], hash: [UInt8]) -> SQL {
        """
        select event_id, sealed is not null from dialtone.quarantine
        where event_id = any(\(events)) and body_sha256 = \(Bytes(hash)) and settled_at is null
        order by event_id
        """
    }

    /// Puts the body on a row that is still open and has none. Index quarantine_pkey.
    static func keepBody(_ sealed: [UInt8], at event: EventID) -> SQL {
        """
        update dialtone.quarantine set sealed = \(Bytes(sealed))
        where event_id = \(event) and sealed is null and settled_at is null
        """
    }

    private static func notes(_ request: QuarantinedRequest, _ picks: [String], _ hash: [UInt8]) -> SQL {
        let notes = request.notes
        return """
            select * from unnest(
                \(notes.map(\.event)), \(notes.map { $0.storedID(hash) }), \(notes.map(\.item)),
                \(notes.map(\.reason.text)), \(notes.map(\.reason.place)), \(notes.map(\.isStored)), \(picks))
            as t (event_id, delivery_id, item, reason, pointer, is_stored, picks)
            """
    }

    /// Writes the ledger. A row in quarantine names no user. An event that the ledger has already stays as it is.
    /// Index: the ledger's unique key.
    private static func stored(_ request: QuarantinedRequest) -> SQL {
        """
        insert into dialtone.events (event_id, source_id, delivery_id, item, tenant_id, outcome, received_at,
                                     config_version, secret_id)
        select event_id, \(request.source.id), delivery_id, item, \(request.source.scope), 'quarantined',
               \(request.request.receivedAt), \(request.source.version), \(request.secret)
        from note where not is_stored
        order by delivery_id collate "C", item
        on conflict (source_id, delivery_id, item) do nothing
        returning event_id
        """
    }

    /// Index quarantine_pkey.
    private static func kept(_ request: QuarantinedRequest, _ hash: [UInt8]) -> SQL {
        """
        insert into dialtone.quarantine (event_id, source_id, config_version, size, reason, tenant_id, pointer,
                                         body_sha256, picks)
        select event_id, \(request.source.id), \(request.source.version), \(Int32(request.request.body.count)),
               reason, \(request.source.scope), pointer, \(Bytes(hash)), picks::json
        from note where is_stored or (event_id in (select event_id from stored)) is true
        order by event_id
        on conflict (event_id) do nothing
        """
    }

    /// An event that was known before, by the ledger's unique key. One that another node has committed meanwhile is not
    /// seen, and is told by our id.
    private static func outcome(_ request: QuarantinedRequest) -> SQL {
        """
        select note.event_id, coalesce(known.event_id, note.event_id),
               note.is_stored or note.event_id in (select event_id from stored)
        from note left join lateral (
            select events.event_id from dialtone.events
            where events.source_id = \(request.source.id) and events.delivery_id = note.delivery_id
              and events.item = note.item offset 0) known on true
        """
    }
}

extension QuarantineNote {
    /// The id under which the ledger has the delivery. One whose id was used for another event gets one of its own, of
    /// the id and what it holds. It is the same again when that is sent again.
    fileprivate func storedID(_ hash: [UInt8]) -> String {
        guard self.reason == .reusedID || self.reason == .refused else { return self.deliveryID }
        let digits = hash.prefix(16).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
        return Reading.shortened("\(self.deliveryID)#\(digits.joined())")
    }
}
