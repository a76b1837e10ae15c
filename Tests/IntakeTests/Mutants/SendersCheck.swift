// SPDX-License-Identifier: Apache-2.0
// What must come out right with the writers' own statements, and wrong when their rule is missing.

import Foundation
import Model
import Postgres
import Queue
import TestSupport
import Testing

@testable import Intake

struct SendersCheck: Sendable, CustomTestStringConvertible {
    let name: String
    /// Returns whether all comes out right in a fresh database.
    let holds: @Sendable (TestDatabase, SendersBreaking) async throws -> Bool

    var testDescription: String { self.name }

    /// The first thousand lives of `LivesTests`, until one is wrong: some rules matter in few of them.
    static let lives = Self(name: "the oracle") { database, breaking in
        try await WordBed.prepare(database)
        for first in stride(from: UInt64(0), to: 1_000, by: 200) {
            let tellings = (first..<first + 200).flatMap { Telling.tellings(of: Life($0), some: 1) }
            let wrong = try await StatementLives.wrongLife(tellings, database) { breaking.change($0) }
            guard wrong == nil else { return false }
        }
        return true
    }

    /// A line of the decision table.
    static func decision(_ description: String) -> Self {
        Self(name: "the line \"\(description)\"") { database, breaking in
            guard let line = DecisionCase.all.first(where: { $0.description == description }) else { return false }
            let outcomes = try await line.outcomes(in: database) { breaking.change($0) }
            let users = try await WordBed.users(database)
            return outcomes == line.outcomes && users == line.users
        }
    }

    enum Sender: Sendable { case app, directory }

    /// Words of plain sources on one user: who says it, whether it gives, and at which minute.
    static func plain(_ name: String, _ words: [(Sender, Bool, Int)], isLive: Bool) -> Self {
        Self(name: name) { database, breaking in
            try await database.insert(Ledger.tenant())
            var clock = FairClock()
            for (place, (sender, gives, minute)) in words.enumerated() {
                let event = try NewEvent.of(
                    "u", gives ? .live : .gone, "d\(place)", at: minute,
                    from: sender == .app ? WordBed.source : WordBed.other)
                try await database.commit(breaking.change(EventInsert.statements(for: [event], &clock)))
            }
            return try await WordBed.users(database) == ["acme u \(isLive ? "live" : "gone")"]
        }
    }

    // MARK: Quarantine

    static let partialReplay = Self(name: "a join that is replayed without its leave") { database, breaking in
        let words = try await QuarantinedWords.tell([.joins("o9", 30), .leaves("o9", 40)], database) {
            breaking.change($0)
        }
        try await WordBed.map("o9", to: "acme", database)
        _ = try await QuarantinedWords.replay([words[0]], database) { breaking.change($0) }
        return try await WordBed.users(database).isEmpty
    }

    static let replayByArrival = Self(name: "a join that is replayed after the deletion") { database, breaking in
        let words = try await QuarantinedWords.tell([Said.joins("o9", nil).onArrival], database)
        _ = try await WordBed.say([Said.deleted(nil).onArrival], database) { breaking.change($0) }
        try await WordBed.map("o9", to: "acme", database)
        _ = try await QuarantinedWords.replay(words, database) { breaking.change($0) }
        return try await WordBed.users(database).isEmpty
    }

    static let replayTwice = Self(name: "a second replay") { database, breaking in
        let words = try await QuarantinedWords.tell([.joins("o9", 30)], database)
        try await WordBed.map("o9", to: "acme", database)
        for _ in 1...2 { _ = try await QuarantinedWords.replay(words, database) { breaking.change($0) } }
        let accepted: SQL = "select 1 from dialtone.events where outcome = 'accepted'"
        return try await database.admin.query(accepted).count == 1
    }

    // MARK: Deliveries

    /// The first part is stored, and then the sender comes again with all.
    static let crashBetweenParts = Self(name: "a crash between two parts") { database, breaking in
        try await WordBed.prepare(database)
        let delivery = Said.joins("o1", 10)
        func parts() throws -> [TrackedDelivery] {
            var words: [NewWord] = []
            for place in 0..<1_200 {
                words.append(
                    try delivery.with { $0.user = "u-\(place)" }.word(item: Int32(place), first: words.first?.id))
            }
            let parts = TrackedDelivery(words)?.parts ?? []
            guard breaking.isHeadFirst, let first = parts.first, let last = parts.last else { return parts }
            let head = TrackedDelivery(Array(last.events.prefix(1)) + first.events)
            return [head].compactMap(\.self) + parts.dropFirst()
        }
        _ = try await WordBed.commit(try parts()[0].events, database)
        for part in try parts() { _ = try await WordBed.commit(part.events, database) }
        return try await WordBed.users(database).count == 1_200
    }

    static let wholeList = Self(name: "a whole list of what is known") { database, breaking in
        try await WordBed.prepare(database)
        _ = try await WordBed.say([.joins("o1", 10), .joins("o3", 10)], database)
        var list = [Said.joins("o1", 20), .joins("o3", 20)]
        list[breaking.isMarkFirst ? 0 : 1].isWhole = true
        _ = try await WordBed.commit(try list.map { try $0.word() }, database)
        let unchanged: SQL = "select 1 from dialtone.users where wanted = 'live' and generation = 1"
        return try await database.admin.query(unchanged).count == 2
    }
}
