// SPDX-License-Identifier: Apache-2.0
// The words of one delivery of a tracked source on their way into the ledger, and the group commit that writes them.

import Foundation
import Model
import Postgres
import Queue

typealias TrackedWriter = GroupCommit<TrackedDelivery>

/// One word, or several when the delivery has several items. They are stored together or not at all.
struct TrackedDelivery: Sendable {
    /// In the delivery's order; at least one.
    let events: [NewWord]

    init?(_ events: [NewWord]) {
        guard !events.isEmpty else { return nil }
        self.events = events
    }

    /// Makes one event for each word. Nil without a word.
    ///
    /// `owner` is the tenant that the source belongs to. `version` is that of the mapping, and `secret` the one whose
    /// proof held.
    init?(
        _ id: String, of source: SourceID, owner: TenantID?, saying words: [Word], version: Int32, secret: UUID?,
        receivedAt: Date
    ) {
        guard !words.isEmpty else { return nil }
        var events: [NewWord] = []
        for (place, word) in words.enumerated() {
            events.append(
                NewWord(
                    id: EventID(at: receivedAt), source: source, owner: owner, deliveryID: id, item: Int32(place),
                    first: events.first?.id, receivedAt: receivedAt, word: word, mappingVersion: version,
                    secret: secret, name: word.newName))
        }
        self.events = events
    }
}

/// A person as one source names it. Another source's person of that name is in no line of this one.
struct SourcePerson: Hashable, Sendable {
    let source: SourceID
    let person: UserID
}

extension NewWord: LineEvent {
    /// The person of one source. Two sources that name one person are in one batch, in a statement each.
    var lineKey: SourcePerson { SourcePerson(source: self.source, person: self.word.person) }
    /// A mapping table is read with the commit. Without it the source's own limits hold.
    var lineTenant: TenantID? { self.word.tenant ?? self.owner }
}

extension TrackedDelivery: LineDelivery {
    var source: SourceID { self.events[0].source }
    var id: String { self.events[0].deliveryID }

    static var repeats: Int { 3 }

    static func seal(_ words: [NewWord], by names: NameSealing, in pool: PostgresPool) async throws -> [NewWord] {
        try await names.seal(words, in: pool)
    }

    /// What other nodes did meanwhile is looked up, and corrected, in commits of their own. If one fails, the sender is
    /// told 503 and comes again.
    static func store(
        _ words: [NewWord], _ clock: inout FairClock, in pool: PostgresPool
    ) async throws -> [EventID: EventResult] {
        let batch = TrackedStatement.batch(of: words, &clock)
        return try await pool.withConnection { connection in
            try await Self.store(words, by: batch, &clock, on: connection)
        }
    }

    /// With `isInTransaction` one is open on the connection, and all of this is a part of it.
    static func store(
        _ words: [NewWord], by batch: TrackedStatement.Batch, _ clock: inout FairClock,
        isInTransaction: Bool = false, on connection: PostgresConnection
    ) async throws -> [EventID: EventResult] {
        try await HiddenIDs.replace(in: words, isInTransaction: isInTransaction, on: connection)
        let written = try await TrackedStatement.commit(batch, on: connection)
        TrackedStatement.noteMapped(words, written, in: &clock)
        var results = try await NewWord.results(of: words, written, on: connection)
        try await EventInsert.markSuperseded(results, on: connection)
        try await Resend.settle(words, &results, &clock, isInTransaction: isInTransaction, on: connection)
        try await FirstTake.decide(words, &results, on: connection)
        return results
    }
}

extension NewWord {
    static func settle(
        _ words: [NewWord], storing others: [NewWord], _ clock: inout FairClock, on connection: PostgresConnection
    ) async throws -> [EventID: EventResult] {
        let batch = TrackedStatement.batch(of: words, settling: .resend, storing: others, &clock)
        let written = try await TrackedStatement.commit(batch, on: connection)
        TrackedStatement.noteMapped(words + others, written, in: &clock)
        return try await Self.results(of: words + others, written, on: connection)
    }

    fileprivate static func results(
        of words: [NewWord], _ written: [EventID: TrackedResult], on connection: PostgresConnection
    ) async throws -> [EventID: EventResult] {
        var results: [EventID: EventResult] = [:]
        for word in words {
            guard let result = written[word.id] else { continue }
            if let event = result.asEvent(of: word) {
                results[word.id] = event
            } else {
                results[word.id] = try await Self.lookUp(word, on: connection)
            }
        }
        return results
    }

    /// Returns what became of a word that another node committed while our statement waited for it: a new look sees
    /// it. A word that is nowhere was not in the delivery that came first under this id. Nil when nothing is known.
    static func lookUp(_ word: NewWord, on connection: PostgresConnection) async throws -> EventResult? {
        let rows = try await connection.query(LedgerLookup.known(word), shielded: true)
        guard var columns = rows.first?.columns else { return word.item > 0 ? .failure(.deliveryReused) : nil }
        let id: EventID = try columns.next()
        let isSame: Bool = try columns.next()
        let isInQuarantine: Bool = try columns.next()
        return isSame
            ? .success(Receipt.Item(eventID: id, status: isInQuarantine ? .quarantined : .duplicate))
            : .failure(.deliveryReused)
    }
}

extension TrackedResult {
    /// Nil: the statement did not see the event that the ledger has under this delivery.
    ///
    /// A quarantine that is full may have the event from before.
    fileprivate func asEvent(of word: NewWord) -> EventResult? {
        let isUnmapped = self.detail == "unmapped"
        if self.outcome == .ignored, !isUnmapped || !self.isInQuarantine {
            return .success(
                Receipt.Item(eventID: self.id, status: .ignored, isNotKept: isUnmapped, tenant: self.tenant))
        }
        guard let known = self.known else { return nil }
        guard self.isSame else { return .failure(.deliveryReused) }
        return .success(
            Receipt.Item(
                eventID: known, status: self.isInQuarantine ? .quarantined : self.outcome,
                isNotKept: self.outcome == .quarantined && !word.isKeptUnmapped, tenant: self.tenant))
    }
}
