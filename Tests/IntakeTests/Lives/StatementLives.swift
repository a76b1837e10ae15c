// SPDX-License-Identifier: Apache-2.0
// Tells lives to PostgreSQL by the tracked writer's own statements, many side by side, and looks who is wanted.

import Model
import Postgres
import Queue
import TestSupport

@testable import Intake

enum StatementLives {
    /// Lives in one database, and databases at once.
    static let lives = 500
    private static let databases = 3
    /// Tellings that are under way at once. A transaction has the next group of each.
    private static let width = 64

    struct Told: Sendable {
        var tellings = 0
        var words = 0
    }

    /// Tells all lives in databases of their own. Returns how much was told; throws the first wrong life.
    static func tell(_ numbers: Range<UInt64>, some: Int) async throws -> Told {
        try await withThrowingTaskGroup(of: Told.self) { group in
            var rest = numbers
            var told = Told()
            func begin() {
                guard !rest.isEmpty else { return }
                let part = rest.prefix(Self.lives)
                rest = rest.dropFirst(Self.lives)
                group.addTask { try await Self.tellInOneDatabase(part, some: some) }
            }
            for _ in 0..<Self.databases { begin() }
            while let part = try await group.next() {
                told.tellings += part.tellings
                told.words += part.words
                begin()
            }
            return told
        }
    }

    private static func tellInOneDatabase(_ numbers: Range<UInt64>, some: Int) async throws -> Told {
        let tellings = numbers.flatMap { Telling.tellings(of: Life($0), some: some) }
        try await TestDatabase.with { database in
            try await WordBed.prepare(database)
            if let wrong = try await Self.wrongLife(tellings, database) { throw wrong }
        }
        return Told(
            tellings: tellings.count, words: tellings.reduce(0) { $0 + $1.groups.reduce(0) { $0 + $1.count } })
    }

    /// Returns the first of these tellings that does not come to what the oracle says. Others of before stay as they are.
    static func wrongLife(
        _ tellings: [Telling], _ database: TestDatabase, changing change: @escaping WordBed.Change = { $0 }
    ) async throws -> WrongLife? {
        try await Self.tell(tellings, database, change)
        let live = try await database.admin.query(
            "select tenant_id || ' ' || user_id from dialtone.users where wanted = 'live'"
        ).map { try $0.decode(String.self) }
        let names = Set(tellings.map(\.name))
        let told = live.filter { user in user.lastIndex(of: "-").map { names.contains(Self.name(user, $0)) } ?? false }
        let wrong = Set(told).symmetricDifference(tellings.flatMap(\.wanted))
        guard let name = wrong.min(), let telling = tellings.first(where: { name.contains(" \($0.name)-") }) else {
            return nil
        }
        return WrongLife(
            life: telling.life, wanted: live.filter { $0.contains(" \(telling.name)-") }, groups: telling.groups)
    }

    /// Of `acme u-7-0-1` the telling is `u-7-0`.
    private static func name(_ user: String, _ end: String.Index) -> String {
        String(user[..<end].drop { $0 != " " }.dropFirst())
    }

    private static func tell(_ tellings: [Telling], _ database: TestDatabase, _ change: WordBed.Change) async throws {
        try await database.pool.withConnection { connection in
            var clock = FairClock()
            var later = tellings[...]
            var open: [ArraySlice<[Said]>] = []
            while !(open.isEmpty && later.isEmpty) {
                let begun = later.prefix(Self.width - open.count)
                later = later.dropFirst(begun.count)
                open += begun.map { $0.groups[...] }
                let words = try open.flatMap { try ($0.first ?? []).map { try $0.word() } }
                var batch = TrackedStatement.batch(of: words, &clock)
                batch.statements = change(batch.statements)
                _ = try await TrackedStatement.commit(batch, on: connection)
                open = open.map { $0.dropFirst() }.filter { !$0.isEmpty }
            }
        }
    }
}
