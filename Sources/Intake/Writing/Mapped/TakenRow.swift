// SPDX-License-Identifier: Apache-2.0
// What the ledger has of a delivery that comes again, and what waits of it in quarantine.

import Model
import Postgres

/// A row of the ledger.
struct TakenRow: Sendable {
    let event: EventID
    let item: Int32
    /// Of the mapping that has read it; 0: none has.
    let version: Int32
    /// Nil: the row names nobody. It is in quarantine, or was dropped.
    let named: NamedWord?
    /// Whom a word beyond the first take is about that waits, and where.
    fileprivate let person: String?
    fileprivate let place: String?

    private init(_ row: PostgresRow) throws {
        var columns = row.columns
        self.event = try columns.next()
        self.item = try columns.next()
        self.version = try columns.next()
        let person: String? = try columns.next()
        let place: String? = try columns.next()
        let asks: String? = try columns.next()
        self.named = person.flatMap { person in
            asks.map { NamedWord(person: person, place: place, asks: $0) }
        }
        self.person = try columns.next()
        self.place = try columns.next()
    }

    /// The first take did not have it.
    var isBeyond: Bool { self.item >= FirstTake.firstItemBeyond }

    /// Reads the rows of a delivery. `place` is the column that has a word's place. An older program's picks may be
    /// those of the delivery's first word. Indexes: the ledger's unique key, and quarantine_pkey.
    static func read(
        _ delivery: DeliveryKey, place: SQL, on connection: PostgresConnection
    ) async throws -> [TakenRow] {
        try await connection.query(Self.select(delivery, place: place), shielded: true).map { try TakenRow($0) }
    }

    static func select(_ delivery: DeliveryKey, place: SQL) -> SQL {
        """
        select events.event_id, events.item, coalesce(events.config_version, 0), events.user_id, events.\(place),
               events.wanted, waits.picks ->> 'user_id', waits.picks ->> 'organization'
        from dialtone.events
        left join lateral (
            select quarantine.picks from dialtone.quarantine
            where quarantine.event_id = events.event_id and quarantine.settled_by is null
              and (events.item >= \(FirstTake.firstItemOfVersions)
                   or events.item = \(FirstTake.firstItemBeyond)) offset 0) waits on true
        where events.source_id = \(delivery.source) and events.delivery_id = \(delivery.id)
        """
    }
}

/// Words of a delivery that another mapping has read beyond its first take, and that wait. This version's mapping would
/// give them other items, so they would be kept twice.
struct WordsBeyond: Sendable {
    private struct Name: Hashable, Sendable {
        let person: String
        let place: String?
    }

    private var waiting: [Name: EventID] = [:]
    /// How often the words of this version name a person in a place.
    private var mentions: [Name: Int] = [:]

    /// `words` are those that this version reads.
    init<Event: MappedEvent>(_ rows: [TakenRow], notOf version: Int32, beside words: [Event]) {
        let own = FirstTake.item(beyond: 0, by: version)
        for row in rows where row.isBeyond && row.item - row.item % FirstTake.firstItemBeyond != own {
            if let person = row.person { self.waiting[Name(person: person, place: row.place)] = row.event }
        }
        // Nearly always there is none.
        guard !self.waiting.isEmpty else { return }
        for word in words { self.mentions[Name(person: word.named.person, place: word.named.place), default: 0] += 1 }
    }

    /// Returns the event of a word that waits; nil: it does not. Nobody has kept what a word asks. So where two words
    /// name one person in one place, neither is known.
    func event<Event: MappedEvent>(of word: Event) -> EventID? {
        let name = Name(person: word.named.person, place: word.named.place)
        guard self.mentions[name] == 1 else { return nil }
        if let event = self.waiting[name] { return event }
        return name.place == word.placeUnnamed ? self.waiting[Name(person: name.person, place: nil)] : nil
    }
}
