// SPDX-License-Identifier: Apache-2.0
// Two nodes that hear of one person at the same time decide as one node would.

import Model
import Postgres
import Queue
import TestSupport
import Testing

@testable import Intake

@Suite struct TrackedRaceTests {
    @Test(arguments: [[Said.deleted(50), .joins("o1", 30)], [.joins("o1", 30), .deleted(50)]])
    func `a deletion and a first membership on two nodes leave nobody`(_ said: [Said]) async throws {
        try await TwoConnections.race(before: [], said[0], then: said[1]) { database in
            let users = try await WordBed.users(database)
            #expect(!users.contains("acme u live"))
        }
    }

    @Test func `the leaves of two organisations of one tenant on two nodes are a leave of the tenant`() async throws {
        try await TwoConnections.race(
            before: [.joins("o1", 10), .joins("o2", 10)], .leaves("o1", 20), then: .leaves("o2", 20)
        ) { database in
            let users = try await WordBed.users(database)
            #expect(users == ["acme u gone"])
        }
    }

    /// A tie: the other source's revoke wins, though the user was not there to be judged.
    @Test func `a join that waits for a user whom another source has just revoked yields`() async throws {
        try await TestDatabase.with { database in
            try await WordBed.prepare(database)
            let plain = try NewEvent.of("u", .gone, "d", at: 3, from: WordBed.other)
            try await TwoConnections.hold([EventStatement.insert([plain], places: ["acme": 1])], database) {
                let outcomes = try await WordBed.say([.joins("o1", 1)], database)
                #expect(outcomes == ["superseded"])
            }
            #expect(try await WordBed.users(database) == ["acme u gone"])
        }
    }

    @Test(arguments: [Said.leaves("o1", 20), .suspended(20), .deleted(20), .list("o3", 20)])
    func `a revoke that waits for a finish closes the credential that the finish records`(_ said: Said) async throws {
        try await TestDatabase.with { database in
            try await WordBed.prepare(database)
            _ = try await WordBed.say([.joins("o1", 10)], database)
            try await TwoConnections.hold(
                [TwoConnections.lock, Ledger.credential(ProviderID(rawValue: "p"), of: TwoConnections.user)], database
            ) {
                _ = try await WordBed.say([said], database)
            }
            #expect(try await WordBed.credentials(database) == ["1 closing"])
        }
    }

    @Test func `a deletion that waits for a burial takes over the buried job's doubt`() async throws {
        try await TestDatabase.with { database in
            try await WordBed.prepare(database)
            _ = try await WordBed.say([.joins("o1", 10)], database)
            let burial: [SQL] = [
                TwoConnections.lock, "delete from dialtone.jobs",
                Ledger.deadJob(of: TwoConnections.user, reason: "crashed_too_often", mayExist: true),
            ]
            try await TwoConnections.hold(burial, database) { _ = try await WordBed.say([.deleted(20)], database) }
            let doubtful: SQL = "select 1 from dialtone.jobs where state = 'in_doubt' and in_doubt"
            #expect(try await database.admin.query(doubtful).count == 1)
        }
    }

    /// A lock taken before the revoke's statement would find nobody to lock.
    @Test func `a revoke that waits for another source's sign-up closes what that sign-up has come to`() async throws {
        try await TestDatabase.with { database in
            try await WordBed.prepare(database)
            let signUp = try NewEvent.of("u", .live, "d1", at: 1, from: WordBed.other)
            let earlier = [
                EventStatement.insert([signUp], places: ["acme": 1]),
                Ledger.credential(ProviderID(rawValue: "p"), of: TwoConnections.user),
            ]
            try await TwoConnections.hold(earlier, database) {
                let revoke = try NewEvent.of("u", .gone, "d2", at: 2, from: WordBed.source)
                let outcomes = try await WriterBed.together([revoke], database)
                #expect(outcomes == [.accepted])
            }
            #expect(try await WordBed.credentials(database) == ["1 closing"])
        }
    }

    /// The person is no member any more, so the deletion meets the user of the other source alone.
    @Test func `a deletion that waits for another source's sign-up closes what that sign-up has come to`()
        async throws
    {
        try await TestDatabase.with { database in
            try await WordBed.prepare(database)
            _ = try await WordBed.say([.joins("o1", 10), .leaves("o1", 20)], database)
            let signUp = try NewEvent.of("u", .live, "d1", at: 30, from: WordBed.other)
            let earlier = [
                EventStatement.insert([signUp], places: ["acme": 1]),
                Ledger.credential(ProviderID(rawValue: "p"), of: TwoConnections.user, generation: 2),
            ]
            try await TwoConnections.hold(earlier, database) {
                let outcomes = try await WordBed.say([.deleted(40)], database)
                #expect(outcomes == ["accepted"])
            }
            #expect(try await WordBed.credentials(database) == ["2 closing"])
        }
    }

    @Test func `a delivery that two nodes take at once is accepted once`() async throws {
        let said = Said.joins("o1", 10)
        try await TwoConnections.race(before: [], said, then: said) { database in
            let events = try await database.admin.query("select outcome from dialtone.events")
                .map { try $0.decode(String.self) }
            #expect(events == ["accepted"])
        }
    }
}
