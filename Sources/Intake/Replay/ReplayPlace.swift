// SPDX-License-Identifier: Apache-2.0
// Whether an event's word stands at its place still, and what becomes of words whose places another mapping has filled.

import Model
import Postgres

/// A row of the ledger, as far as it tells how its delivery was numbered.
private struct NumberedRow {
    let event: EventID
    let item: Int32
    let version: Int32
    let person: String?
    let place: String?

    init(_ row: PostgresRow) throws {
        var columns = row.columns
        self.event = try columns.next()
        self.item = try columns.next()
        self.version = try columns.next()
        self.person = try columns.next()
        self.place = try columns.next()
    }
}

extension ReplayWriting {
    /// Returns why the word at the event's place may be another one's by now; nil: it stands where it stood.
    ///
    /// Another mapping may pass an item that was counted before, or read one more. All rows of the delivery's first
    /// take must stand where today's mapping reads the same people. Where another mapping has read one of them,
    /// today's must have no other places than theirs. Index: the ledger's unique key, by its first columns.
    ///
    /// Cancelled here: the caller's transaction is rolled back.
    func renumbering(on connection: PostgresConnection) async throws -> String? {
        guard !self.event.isBeyond else {
            return self.isReadAsKept
                ? nil : "today's mapping may read another one at its place than the mapping that kept it"
        }
        let rows = try await connection.query(
            """
            select event_id, item, coalesce(config_version, 0), user_id, \(self.placeColumn) from dialtone.events
            where source_id = \(self.source.id) and delivery_id = \(self.event.deliveryID)
              and item < \(FirstTake.firstItemBeyond)
            """
        ).map { try NumberedRow($0) }
        guard self.arePeopleAlike(rows), try await self.arePlacesAlike(rows, on: connection) else {
            return "today's mapping numbers the items of its delivery in another way"
        }
        return nil
    }

    /// A word beyond the first take has the place that one mapping gave it. Another mapping must read the same there.
    /// Picks that a later replay has written are of another mapping again.
    private var isReadAsKept: Bool {
        if self.event.takenBy == self.source.version { return true }
        guard case .word(let word) = self.reading.own, self.event.takenBy == self.event.read.version,
            self.event.isReadItself, let picks = self.event.read.picks, picks["user_id"] == word.person.rawValue
        else { return false }
        return picks["organization"].map { $0 == word.organization ?? word.tenant?.rawValue }
            ?? (word.organization == nil)
    }

    /// Where a person is named more than once, the organisation tells which word it is.
    private func arePeopleAlike(_ rows: [NumberedRow]) -> Bool {
        let mentions = Dictionary(grouping: self.reading.words.values, by: \.person.rawValue).mapValues(\.count)
        return rows.allSatisfy { row in
            guard row.event != self.event.id, let person = row.person else { return true }
            guard let word = self.reading.words[row.item], word.person.rawValue == person else { return false }
            return mentions[person] == 1 || self.named(word)?.place == row.place
        }
    }

    /// What failed as a whole has one row for all, so its own version says nothing. What was read beside it later does.
    private func arePlacesAlike(_ rows: [NumberedRow], on connection: PostgresConnection) async throws -> Bool {
        let isReadOtherwise = rows.contains { row in
            row.version != self.source.version && (row.event != self.event.id || self.event.span == .item)
        }
        guard isReadOtherwise else { return true }
        let known = Set(rows.map(\.item))
        guard known.allSatisfy({ $0 < Int32(self.reading.count) }) else { return false }
        return try await self.areIgnored((0..<Int32(self.reading.count)).filter { !known.contains($0) }, on: connection)
    }

    /// A word of an organisation that an operator ignores has a place and no row. Index source_tenants_pkey.
    private func areIgnored(_ places: [Int32], on connection: PostgresConnection) async throws -> Bool {
        guard !places.isEmpty else { return true }
        let names = places.compactMap { self.reading.words[$0]?.organization }
        guard self.source.isTracked, names.count == places.count else { return false }
        let ignored = try await connection.query(
            """
            select external_tenant from dialtone.source_tenants
            where source_id = \(self.source.id) and external_tenant = any(\(Array(Set(names)))) and tenant_id is null
            """
        ).map { try $0.decode(String.self) }
        return Set(names).isSubset(of: ignored)
    }

    private var placeColumn: SQL { self.source.isTracked ? NewWord.placeColumn : NewEvent.placeColumn }

    private func named(_ word: Word) -> NamedWord? {
        self.source.isTracked ? self.tracked(word).named : self.plain(word)?.named
    }

    // MARK: What is read beside the event

    /// Returns those of these events whose words the ledger does not have, although it has their deliveries: another
    /// mapping has read them first, without these. A row in quarantine at their place has the word when it is tried. So
    /// does one in which another mapping has kept the word.
    ///
    /// Cancelled here: the caller's transaction is rolled back.
    func beyond<Event: MappedEvent>(_ events: [Event], on connection: PostgresConnection) async throws -> Set<EventID> {
        var beyond: Set<EventID> = []
        for (delivery, events) in Dictionary(grouping: events, by: { $0.delivery }) {
            let rows = try await TakenRow.read(delivery, place: Event.placeColumn, on: connection)
            let words = Set(rows.compactMap(\.named))
            let open = Set(rows.filter { $0.named == nil }.map(\.item))
            let waiting = WordsBeyond(rows, notOf: self.source.version, beside: events)
            for event in events where !words.contains(event.named) && !open.contains(event.item) {
                if waiting.event(of: event) == nil { beyond.insert(event.id) }
            }
        }
        return beyond
    }
}
