// SPDX-License-Identifier: Apache-2.0
// An event that is in quarantine is settled once, whoever comes first, and counts as of its own time.

import Foundation
import Model
import Postgres
import Queue
import TestSupport
import Testing

@testable import Directory
@testable import Intake

@Suite struct SettlementTests {
    @Test func `an event is settled when its organisation is mapped, and once`() async throws {
        try await QuarantinedWords.with([.joins("o9", 30)]) { database, words in
            #expect(try await QuarantinedWords.replay(words, database) == ["duplicate unmapped"], "it stays")
            try await WordBed.map("o9", to: "acme", database)
            #expect(try await QuarantinedWords.replay(words, database) == ["accepted"])
            #expect(try await QuarantinedWords.replay(words, database) == ["duplicate"])
            #expect(try await WordBed.users(database) == ["acme u live"])
            let ended: SQL = """
                select 1 from dialtone.quarantine join dialtone.events using (event_id)
                where settled_by = 'replay' and settled_at is not null and sealed is null and user_id = 'u'
                """
            #expect(try await database.admin.query(ended).count == 1)
        }
    }

    @Test func `of a join and a leave only the join is replayed, and nobody comes back`() async throws {
        try await QuarantinedWords.with([.joins("o9", 30), .leaves("o9", 40)]) { database, words in
            try await WordBed.map("o9", to: "acme", database)
            #expect(try await QuarantinedWords.replay([words[0]], database) == ["superseded"])
            #expect(try await WordBed.users(database).isEmpty)
        }
    }

    @Test func `who was deleted between quarantine and replay stays deleted`() async throws {
        try await QuarantinedWords.with([.joins("o9", 30)]) { database, words in
            _ = try await WordBed.say([.deleted(50)], database)
            try await WordBed.map("o9", to: "acme", database)
            #expect(try await QuarantinedWords.replay(words, database) == ["superseded"])
            #expect(try await WordBed.users(database).isEmpty)
        }
    }

    @Test func `where arrival counts, who was deleted between quarantine and replay stays deleted`() async throws {
        try await QuarantinedWords.with([Said.joins("o9", nil).onArrival]) { database, words in
            _ = try await WordBed.say([Said.deleted(nil).onArrival], database)
            try await WordBed.map("o9", to: "acme", database)
            #expect(try await QuarantinedWords.replay(words, database) == ["superseded"])
            #expect(try await WordBed.users(database).isEmpty)
        }
    }

    @Test(arguments: [Said.deleted(nil).onArrival, Said.leaves("o9", nil).onArrival])
    func `where arrival counts, an unmapped event counts as of its word, however late its note is written`(
        since: Said
    ) async throws {
        try await TestDatabase.with { database in
            try await WordBed.prepare(database)
            let word = try Said.joins("o9", nil).onArrival.word()
            #expect(try await WordBed.commit([word], database) == ["quarantined unmapped"])
            _ = try await WordBed.say([since], database)
            try await QuarantinedWords.note(word, database)
            try await WordBed.map("o9", to: "acme", database)
            #expect(try await QuarantinedWords.replay([word], database) == ["superseded"])
            #expect(try await WordBed.users(database).isEmpty)
        }
    }

    /// Its deletion has taken the user away when it came, and takes again: it has no time, so it is newer than all.
    @Test func `a deletion in an unmapped organisation is settled after an operator has reopened its user`()
        async throws
    {
        try await TestDatabase.with { database in
            try await WordBed.prepare(database)
            _ = try await WordBed.say([.joins("o1", 10)], database)
            let word = try Said.leaves("o9", nil).with { $0.ofPerson = .deleted }.word()
            #expect(try await WordBed.commit([word], database) == ["quarantined unmapped"])
            #expect(try await WordBed.users(database) == ["acme u gone"])
            _ = try await UserActions(pool: database.pool, request: "request-1").reopen(TwoConnections.user)
            #expect(try await WordBed.users(database) == ["acme u live"])
            try await WordBed.map("o9", to: "globex", database)
            #expect(try await QuarantinedWords.replay([word], database) == ["accepted"])
            #expect(try await WordBed.users(database) == ["acme u gone"])
            let effects = try await database.admin.query("select tenant_id || ' ' || effect from dialtone.effects")
                .map { try $0.decode(String.self) }
            #expect(effects == ["acme gone"])
        }
    }

    @Test func `where arrival counts, an event is settled when nothing was told since`() async throws {
        try await QuarantinedWords.with([Said.joins("o9", nil).onArrival]) { database, words in
            try await WordBed.map("o9", to: "acme", database)
            #expect(try await QuarantinedWords.replay(words, database) == ["accepted"])
            #expect(try await WordBed.users(database) == ["acme u live"])
        }
    }

    @Test func `the older of two joins brings in too`() async throws {
        try await QuarantinedWords.with([.joins("o9", 30), .joins("o9", 60)]) { database, words in
            try await WordBed.map("o9", to: "acme", database)
            #expect(try await QuarantinedWords.replay([words[0]], database) == ["accepted"])
            #expect(try await QuarantinedWords.replay([words[1]], database) == ["duplicate"])
        }
    }

    /// The writer stores the event, and its note comes in a transaction of its own.
    @Test(arguments: [true, false])
    func `an event that is settled while its note is written leaves no open note`(_ isNoteFirst: Bool) async throws {
        try await TestDatabase.with { database in
            try await WordBed.prepare(database)
            let word = try Said.joins("o9", 30).word()
            #expect(try await WordBed.commit([word], database) == ["quarantined unmapped"])
            try await WordBed.map("o9", to: "acme", database)
            let note = QuarantineNote(
                event: word.id, deliveryID: word.deliveryID, number: 0, item: 0, reason: .unmapped, span: .request,
                isStored: true)
            let rows = QuarantineRows(
                source: word.source, scope: "-", version: 1, receivedAt: word.receivedAt, secret: nil, size: 1,
                hash: Array(repeating: 0, count: 32), notes: [note], picks: ["{}"])
            let keep = [QuarantineStatement.lock(rows), QuarantineStatement.keep(rows)]
            var clock = FairClock()
            let settle = TrackedStatement.batch(of: [word], settling: .resend, &clock).statements
            let (first, second) = isNoteFirst ? (keep, settle) : (settle, keep)
            try await TwoConnections.hold(first, database) { try await database.commit(second) }
            let notes = try await database.admin.query("select settled_by from dialtone.quarantine")
                .map { try $0.decode(String?.self) }
            #expect(notes == (isNoteFirst ? ["resend"] : []))
            #expect(try await WordBed.users(database) == ["acme u live"])
        }
    }

    /// A resend is a replay with the body at hand.
    @Test(arguments: [(Settlement.replay, Settlement.replay), (.replay, .resend), (.resend, .replay)])
    func `of two that settle an event at once the first one does`(_ two: (Settlement, Settlement)) async throws {
        try await QuarantinedWords.with([.joins("o9", 30)]) { database, words in
            try await WordBed.map("o9", to: "acme", database)
            var clock = FairClock()
            let first = TrackedStatement.batch(of: words, settling: two.0, &clock)
            try await TwoConnections.hold(first.statements, database) {
                let second = try await WordBed.commit(words, settling: two.1, database)
                #expect(second == ["duplicate"])
            }
            #expect(try await database.admin.query("select 1 from dialtone.users where generation = 1").count == 1)
            let settled = try await database.admin.query("select settled_by from dialtone.quarantine")
                .map { try $0.decode(String.self) }
            #expect(settled == [two.0.rawValue])
        }
    }
}
