// SPDX-License-Identifier: Apache-2.0
// Words that came before their organisation was mapped, and their replay.

import Model
import Postgres
import TestSupport
import Testing

@testable import Intake

enum QuarantinedWords {
    /// Lends a database in which these words are in quarantine, with a body each.
    static func with(
        _ said: [Said], _ work: (TestDatabase, [NewWord]) async throws -> Void
    ) async throws {
        try await TestDatabase.with { database in
            try await work(database, try await Self.tell(said, database))
        }
    }

    /// Puts these words in quarantine, with a body each.
    static func tell(
        _ said: [Said], _ database: TestDatabase, changing change: @escaping WordBed.Change = { $0 }
    ) async throws -> [NewWord] {
        try await WordBed.prepare(database)
        let words = try said.map { try $0.word() }
        for word in words {
            let outcomes = try await WordBed.commit([word], database, changing: change)
            #expect(outcomes == ["quarantined unmapped"])
            try await Self.note(word, database)
        }
        return words
    }

    /// Writes the note of an event that the writer has stored.
    static func note(_ word: NewWord, _ database: TestDatabase) async throws {
        try await database.insert(
            """
            insert into dialtone.quarantine (event_id, source_id, config_version, size, reason, tenant_id,
                                             body_sha256, sealed, picks)
            values (\(word.id), \(word.source), 1, 1, 'unmapped', '-', decode(repeat('00', 32), 'hex'), 'x', '{}')
            """)
    }

    static func replay(
        _ words: [NewWord], _ database: TestDatabase, changing change: @escaping WordBed.Change = { $0 }
    ) async throws -> [String] {
        try await WordBed.commit(words, settling: .replay, database, changing: change)
    }
}
