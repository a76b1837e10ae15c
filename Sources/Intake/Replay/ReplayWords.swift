// SPDX-License-Identifier: Apache-2.0
// The statements of a replay, by the kind of its source: the event that is settled, and those that are new beside it.

import Foundation
import Model
import Postgres
import Queue

extension ReplayWriting {
    struct Written: Sendable {
        /// The events that are new.
        var further: [EventID]
        /// The word asks nothing: an operator has said to ignore its organisation, or it is an invitation.
        var isPassed = false
    }

    /// Settles the event with its word, and stores what is read beside it. Nil: the event itself says nothing.
    ///
    /// Cancelled here: the caller's transaction is rolled back.
    func settle(_ word: Word?, on connection: PostgresConnection) async throws -> Written {
        if self.source.isTracked {
            return try await self.settleTracked(word.map { self.tracked($0) }, on: connection)
        }
        let own = word.flatMap { self.plain($0) }
        var written = Written(further: try await self.settlePlain(own, on: connection))
        written.isPassed = word != nil && own == nil
        return written
    }

    // MARK: Tracked

    private func settleTracked(_ own: NewWord?, on connection: PostgresConnection) async throws -> Written {
        var clock = FairClock()
        let further = self.furtherWords.map { (one, word) in self.tracked(word, one) }
        let all = (own.map { [$0] } ?? []) + further
        var results: [EventID: TrackedResult] = [:]
        if !all.isEmpty {
            let batch = TrackedStatement.replay(own, further, &clock)
            for (place, statement) in batch.statements.enumerated() {
                let rows = try await connection.query(statement)
                guard batch.writes.contains(place) else { continue }
                for row in rows {
                    let result = try TrackedResult(row)
                    results[result.id] = result
                }
            }
        }
        let superseded = results.values.filter { $0.outcome == .superseded }.map(\.id)
        if !superseded.isEmpty { _ = try await connection.query(LedgerLookup.supersede(superseded)) }
        let stored = further.filter { results[$0.id]?.known == $0.id }.map(\.id)
        let unmapped = Set(stored.filter { results[$0]?.outcome == .quarantined })
        let doubtful = further.filter { word in
            results[word.id].map { $0.outcome != .ignored && ($0.known == nil || !$0.isSame) } ?? true
        }
        let beyond = try await self.beyond(doubtful, on: connection)
        let noted = try await self.note(unmapped: unmapped, beyond: beyond, on: connection)
        return Written(
            further: stored + noted, isPassed: own.map { results[$0.id]?.outcome == .ignored } ?? false)
    }

    func tracked(_ word: Word, _ one: ReplayReading.Further? = nil) -> NewWord {
        var word = word
        // The event's own arrival is read with the statement. What is new beside it came at the same time.
        if one != nil, word.moment == .arrival { word.moment = .at(self.event.arrivedAt) }
        return NewWord(
            id: one?.id ?? self.event.id, source: self.source.id, owner: self.source.owner,
            deliveryID: one?.deliveryID ?? self.event.deliveryID,
            item: one?.item ?? self.event.item, first: one?.first, receivedAt: self.event.receivedAt,
            word: word, mappingVersion: self.source.version, secret: self.event.secret,
            name: self.names[one?.id ?? self.event.id] ?? word.newName, sentID: self.sentID(one))
    }

    /// Of the event itself, what the ledger has.
    private func sentID(_ one: ReplayReading.Further?) -> String? {
        guard let one else { return self.event.sentID }
        return one.sentID
    }

    // MARK: Plain

    /// All users are locked first, in key order: the statements alone would lock them in two passes. What revokes must
    /// close comes once, behind all of them.
    private func settlePlain(_ own: NewEvent?, on connection: PostgresConnection) async throws -> [EventID] {
        var clock = FairClock()
        let further = self.furtherWords.compactMap { (one, word) in self.plain(word, one) }
        let all = (own.map { [$0] } ?? []) + further
        var results: [EventID: EventResult] = [:]
        if !all.isEmpty {
            _ = try await connection.query(Self.users(of: all))
            var statements = own.map { EventInsert.inserts(of: [$0], settling: .replay, &clock) } ?? []
            if !further.isEmpty { statements += EventInsert.inserts(of: further, &clock) }
            results = try await self.run(statements, on: connection)
            if let amend = EventStatement.amend(all) { _ = try await connection.query(amend) }
            if let names = NameStatement.write(all) { _ = try await connection.query(names) }
        }
        try await EventInsert.markSuperseded(results, on: connection)
        let stored = further.map(\.id).filter { id in
            if case .success(let item)? = results[id] { item.eventID == id } else { false }
        }
        let doubtful = further.filter { event in
            if case .success? = results[event.id] { false } else { true }
        }
        let beyond = try await self.beyond(doubtful, on: connection)
        return stored + (try await self.note(unmapped: [], beyond: beyond, on: connection))
    }

    /// Locks the users that exist, in key order. Index users_pkey.
    static func users(of events: [NewEvent]) -> SQL {
        """
        select 1 from (
            select tenant_id, user_id
            from unnest(\(events.map(\.tenant)), \(events.map { $0.change.user.user.rawValue }))
                as told (tenant_id, user_id)
            order by tenant_id collate "C", user_id collate "C") told
        cross join lateral (
            select users.user_id from dialtone.users
            where users.tenant_id = told.tenant_id and users.user_id = told.user_id
            for no key update of users) locked
        """
    }

    private func run(_ statements: [SQL], on connection: PostgresConnection) async throws -> [EventID: EventResult] {
        var rows: [PostgresRow] = []
        for statement in statements { rows += Array(try await connection.query(statement)) }
        return try EventInsert.read(rows).decided
    }

    /// A revoke that counts as of its arrival always stands when it arrives. By now something newer may have been said.
    func plain(_ word: Word, _ one: ReplayReading.Further? = nil) -> NewEvent? {
        var word = word
        if word.moment == .arrival { word.moment = .at(self.event.arrivedAt) }
        guard let change = word.change(receivedAt: self.event.receivedAt) else { return nil }
        return NewEvent(
            id: one?.id ?? self.event.id, source: self.source.id,
            deliveryID: one?.deliveryID ?? self.event.deliveryID, item: one?.item ?? self.event.item,
            first: one?.first, receivedAt: self.event.receivedAt, change: change,
            isWeak: word.isWeak && change.wanted == .live, mappingVersion: self.source.version,
            secret: self.event.secret, name: self.names[one?.id ?? self.event.id] ?? word.newName,
            sentID: self.sentID(one))
    }

    // MARK: What is read beside the event

    var furtherWords: [(ReplayReading.Further, Word)] {
        self.reading.further.compactMap { one in one.read.word.map { (one, $0) } }
    }

    /// Keeps what is new and cannot be used, with the body of the event. Returns the events that are new by this.
    private func note(
        unmapped: Set<EventID>, beyond: Set<EventID>, on connection: PostgresConnection
    ) async throws -> [EventID] {
        guard let body = self.event.body else { return [] }
        var (notes, picks): ([QuarantineNote], [String]) = ([], [])
        for one in self.reading.further {
            let note: QuarantineNote
            switch one.read {
            case .word where beyond.contains(one.id): note = one.noteBeyond(by: self.source.version)
            case .word where unmapped.contains(one.id): note = one.note(.unmapped, isStored: true)
            case .unusable(let unusable): note = one.note(.unusable(unusable), isStored: false)
            case .word, .ignored: continue
            }
            let picked = self.reading.picksOfFurther[one.number] ?? QuarantinePicks()
            notes.append(note)
            picks.append(one.read.word == nil ? picked.text : picked.text(of: one.read.word))
        }
        guard !notes.isEmpty else { return [] }
        let rows = QuarantineRows(
            source: self.source.id, scope: self.event.scope, version: self.source.version,
            receivedAt: self.event.receivedAt, secret: self.event.secret, size: self.event.size,
            hash: self.event.hash, notes: notes, picks: picks, joins: (body, self.event.arrivedAt))
        return try await connection.query(QuarantineStatement.keep(rows)).compactMap { row in
            var columns = row.columns
            let id: EventID = try columns.next()
            let known: EventID = try columns.next()
            return try columns.next(Bool.self) && !unmapped.contains(id) ? known : nil
        }
    }
}

extension ReplayReading.Further {
    fileprivate func note(_ reason: QuarantineNote.Reason, isStored: Bool) -> QuarantineNote {
        QuarantineNote(
            event: self.id, deliveryID: self.deliveryID, number: self.number, item: self.item, reason: reason,
            span: .item, isStored: isStored, sentID: self.sentID)
    }

    fileprivate func noteBeyond(by version: Int32) -> QuarantineNote {
        QuarantineNote(
            event: self.id, deliveryID: self.deliveryID, number: self.number,
            item: FirstTake.item(beyond: self.item, by: version), reason: .mappingChanged, span: .item,
            isStored: false, sentID: self.sentID)
    }
}

extension TrackedStatement {
    /// Returns the statements that settle one event and store others: people and users of all are locked first.
    static func replay(_ own: NewWord?, _ further: [NewWord], _ clock: inout FairClock) -> Batch {
        let words = (own.map { [$0] } ?? []) + further
        let rounds =
            (own.map { [(words: [$0], settlement: Settlement?.some(.replay))] } ?? [])
            + Self.rounds(of: further).map { (words: $0, settlement: Settlement?.none) }
        var statements = [TrackedLocks.meet(words), TrackedLocks.users(words)]
        let writes = statements.count..<statements.count + rounds.count
        for round in rounds {
            let known = round.words.compactMap { word in
                (word.word.tenant ?? word.owner).map { (tenant: $0.rawValue, receivedAt: word.receivedAt) }
            }
            statements.append(
                Self.write(round.words, settling: round.settlement, places: clock.places(for: known)))
        }
        let takers = words.filter(\.mayRevoke).map(\.id)
        if !takers.isEmpty { statements.append(EventStatement.amend(tracked: takers)) }
        if let names = NameStatement.write(words) { statements.append(names) }
        return Batch(statements: statements, writes: writes)
    }
}
