// SPDX-License-Identifier: Apache-2.0
// An event that is in quarantine is settled once, whoever comes first, and counts as of its own time.

import Foundation
import Model
import Postgres
import Queue
import TestSupport
import Testing

@testable import Intake

@Suite struct SettlementTests {
    @Test func `an event is settled when its organisation is mapped, and once`() async throws {
        try await Self.withQuarantined([.joins("o9", 30)]) { database, words in
            #expect(try await Self.replay(words, database) == ["duplicate unmapped"], "it stays")
            try await WordBed.map("o9", to: "acme", database)
            #expect(try await Self.replay(words, database) == ["accepted"])
            #expect(try await Self.replay(words, database) == ["duplicate"])
            #expect(try await WordBed.users(database) == ["acme u live"])
            let ended: SQL = """
                select 1 from dialtone.quarantine join dialtone.events using (event_id)
                where settled_by = 'replay' and settled_at is not null and sealed is null and user_id = 'u'
                """
            #expect(try await database.admin.query(ended).count == 1)
        }
    }

    @Test func `of a join and a leave only the join is replayed, and nobody comes back`() async throws {
        try await Self.withQuarantined([.joins("o9", 30), .leaves("o9", 40)]) { database, words in
            try await WordBed.map("o9", to: "acme", database)
            #expect(try await Self.replay([words[0]], database) == ["superseded"])
            #expect(try await WordBed.users(database).isEmpty)
        }
    }

    @Test func `who was deleted between quarantine and replay stays deleted`() async throws {
        try await Self.withQuarantined([.joins("o9", 30)]) { database, words in
            _ = try await WordBed.say([.deleted(50)], database)
            try await WordBed.map("o9", to: "acme", database)
            #expect(try await Self.replay(words, database) == ["superseded"])
            #expect(try await WordBed.users(database).isEmpty)
        }
    }

    @Test func `where arrival counts, who was deleted between quarantine and replay stays deleted`() async throws {
        try await Self.withQuarantined([Said.joins("o9", nil).onArrival]) { database, words in
            _ = try await WordBed.say([Said.deleted(nil).onArrival], database)
            try await WordBed.map("o9", to: "acme", database)
            #expect(try await Self.replay(words, database) == ["superseded"])
            #expect(try await WordBed.users(database).isEmpty)
        }
    }

    @Test func `where arrival counts, an event is settled when nothing was told since`() async throws {
        try await Self.withQuarantined([Said.joins("o9", nil).onArrival]) { database, words in
            try await WordBed.map("o9", to: "acme", database)
            #expect(try await Self.replay(words, database) == ["accepted"])
            #expect(try await WordBed.users(database) == ["acme u live"])
        }
    }

    @Test func `the older of two joins brings in too`() async throws {
        try await Self.withQuarantined([.joins("o9", 30), .joins("o9", 60)]) { database, words in
            try await WordBed.map("o9", to: "acme", database)
            #expect(try await Self.replay([words[0]], database) == ["accepted"])
            #expect(try await Self.replay([words[1]], database) == ["duplicate"])
        }
    }

    @Test func `two replays at once settle an event once`() async throws {
        try await Self.withQuarantined([.joins("o9", 30)]) { database, words in
            try await WordBed.map("o9", to: "acme", database)
            let holder = try await PostgresConnection.connect(PostgresConfiguration(url: database.url))
            try await holder.script("begin")
            var clock = FairClock()
            let first = TrackedStatement.batch(of: words, settling: .replay, &clock)
            for statement in first.statements { _ = try await holder.query(statement) }
            async let second = Self.replay(words, database)
            try await database.untilSomebodyWaitsForALock()
            try await holder.script("commit")
            #expect(try await second == ["duplicate"])
            await holder.close()
            #expect(try await database.admin.query("select 1 from dialtone.users where generation = 1").count == 1)
        }
    }

    // MARK: Test bed

    /// Lends a database in which these words are in quarantine, with a body each.
    private static func withQuarantined(
        _ said: [Said], _ work: (TestDatabase, [NewWord]) async throws -> Void
    ) async throws {
        try await TestDatabase.with { database in
            try await WordBed.prepare(database)
            let words = try said.map { try $0.word() }
            for word in words {
                #expect(try await WordBed.commit([word], database) == ["quarantined unmapped"])
                try await database.insert(
                    """
                    insert into dialtone.quarantine (event_id, source_id, config_version, size, reason, tenant_id,
                                                     body_sha256, sealed, picks)
                    values (\(word.id), \(word.source), 1, 1, 'unmapped', '-', decode(repeat('00', 32), 'hex'), 'x', '{}')
                    """)
            }
            try await work(database, words)
        }
    }

    private static func replay(_ words: [NewWord], _ database: TestDatabase) async throws -> [String] {
        var clock = FairClock()
        let batch = TrackedStatement.batch(of: words, settling: .replay, &clock)
        let found = try await database.pool.withConnection { try await TrackedStatement.commit(batch, on: $0) }
        return words.compactMap { found[$0.id] }.map { result in
            [result.outcome.rawValue, result.detail].compactMap(\.self).joined(separator: " ")
        }
    }
}
