// SPDX-License-Identifier: Apache-2.0
// Each line of the decision table comes out as it says, and leaves the facts that later words need.

import Model
import Postgres
import TestSupport
import Testing

@testable import Intake

@Suite struct DecisionTableTests {
    @Test(arguments: DecisionCase.all)
    func `a word comes to what the table says`(_ line: DecisionCase) async throws {
        try await TestDatabase.with { database in
            let outcomes = try await line.outcomes(in: database)
            #expect(outcomes == line.outcomes)
            #expect(try await WordBed.users(database) == line.users)
        }
    }

    @Test func `a person who is a member, suspended or deleted waits no more`() async throws {
        for last in [Said.joins("o1", 20), .suspended(20), .deleted(20)] {
            try await TestDatabase.with { database in
                try await WordBed.prepare(database)
                _ = try await WordBed.say([.exists(10)], database)
                let waits: SQL = "select 1 from dialtone.people where waits_until > now() + interval '29 days'"
                #expect(try await database.admin.query(waits).count == 1)
                _ = try await WordBed.say([last], database)
                #expect(try await database.admin.query(waits).isEmpty, "\(last)")
            }
        }
    }

    /// Somebody deleted is gone in every tenant, and the ledger's row names none of them.
    @Test func `what a word does in tenants that its event does not name stands in effects`() async throws {
        try await TestDatabase.with { database in
            try await WordBed.prepare(database)
            _ = try await WordBed.say([.joins("o1", 10), .joins("o3", 10), .deleted(20)], database)
            let effects = try await database.admin.query(
                """
                select effects.tenant_id || ' ' || effect || ' ' || events.tenant_id from dialtone.effects
                join dialtone.events using (event_id) order by 1
                """
            ).map { try $0.decode(String.self) }
            #expect(effects == ["acme gone -", "globex gone -"])
        }
    }

    @Test func `an event that is in quarantine names no user, and its facts are kept`() async throws {
        try await TestDatabase.with { database in
            try await WordBed.prepare(database)
            _ = try await WordBed.say([.joins("o9", 10)], database)
            let events: SQL = """
                select 1 from dialtone.events where user_id is null and wanted is null and external_tenant = 'o9'
                """
            #expect(try await database.admin.query(events).count == 1)
            let facts: SQL = "select 1 from dialtone.memberships where state = 'live' and tenant_id is null"
            #expect(try await database.admin.query(facts).count == 1)
        }
    }

    @Test func `a delivery that comes again is known, and nothing is added to it`() async throws {
        try await TestDatabase.with { database in
            try await WordBed.prepare(database)
            func delivery(_ users: [String]) throws -> [NewWord] {
                var words: [NewWord] = []
                for (place, user) in users.enumerated() {
                    let said = Said.joins("o1", 10).with { ($0.user, $0.delivery) = (user, "d") }
                    words.append(try said.word(item: Int32(place), first: words.first?.id))
                }
                return words
            }
            #expect(try await WordBed.commit(delivery(["a", "b"]), database) == ["accepted", "accepted"])
            let again = try delivery(["a", "c", "d"])
            let results = try await database.pool.withConnection { try await WordBed.results(of: again, on: $0) }
            #expect(results.map(\.outcome) == [.duplicate, .duplicate, .duplicate])
            #expect(results.map(\.isSame) == [true, false, false])
            #expect(results.map { $0.known == nil } == [false, false, true])
            #expect(try await WordBed.users(database) == ["acme a live", "acme b live"])
        }
    }

    @Test func `a delivery may name a person several times, and the users of many tenants`() async throws {
        try await TestDatabase.with { database in
            try await WordBed.prepare(database)
            let said = [Said.joins("o1", 10), .joins("o3", 10), .leaves("o1", 20), .exists(30)]
            let words = try said.map { try $0.word() }
            #expect(
                try await WordBed.commit(words, database) == ["accepted", "accepted", "accepted", "duplicate"])
            #expect(try await WordBed.users(database) == ["acme u gone", "globex u live"])
        }
    }
}
