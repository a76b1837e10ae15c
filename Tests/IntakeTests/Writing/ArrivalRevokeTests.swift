// SPDX-License-Identifier: Apache-2.0
// A revoke that counts as of its arrival always stands, and a newer sign-up brings the user back.

import Model
import Postgres
import Queue
import TestSupport
import Testing

@testable import Intake

@Suite struct ArrivalRevokeTests {
    /// The user's line is ahead of the database's clock, as a sender's clock may be.
    @Test func `a revoke that counts as of its arrival is newer than all before it and older than what follows`()
        async throws
    {
        try await TestDatabase.with { database in
            try await database.insert(Ledger.tenant())
            var revoke = try NewEvent.of("u", .gone, "d2")
            revoke.isByArrival = true
            let events = [
                try NewEvent.of("u", .live, "d1", at: 10), revoke, try NewEvent.of("u", .live, "d3", at: 10),
                try NewEvent.of("u", .live, "d4", at: 11),
            ]
            #expect(try await Self.said(events, database) == [.accepted, .accepted, .superseded, .accepted])
            #expect(try await WordBed.users(database) == ["acme u live"])
        }
    }

    /// Nobody can tell which was later, so the revoke wins until an operator reopens.
    @Test func `a revoke whose sender gives no time wins for good`() async throws {
        try await TestDatabase.with { database in
            try await database.insert(Ledger.tenant())
            let events = [
                try NewEvent.of("u", .live, "d1", at: 10), try NewEvent.of("u", .gone, "d2"),
                try NewEvent.of("u", .live, "d3", at: 900),
            ]
            #expect(try await Self.said(events, database) == [.accepted, .accepted, .superseded])
        }
    }

    @Test func `a revoke that counts as of its arrival stands against a user who was inserted meanwhile`() async throws
    {
        try await TestDatabase.with { database in
            try await database.insert(Ledger.tenant())
            let signUp = try NewEvent.of("u", .live, "d1", at: 1_000, from: WordBed.other)
            try await TwoConnections.hold([EventStatement.insert([signUp], places: ["acme": 1])], database) {
                var revoke = try NewEvent.of("u", .gone, "d2")
                revoke.isByArrival = true
                #expect(try await WriterBed.together([revoke], database) == [.accepted])
            }
            #expect(try await WordBed.users(database) == ["acme u gone"])
            let line: SQL = "select 1 from dialtone.users where occurred_at > \(WriterBed.time(ofMinute: 1_000))"
            #expect(try await database.admin.query(line).count == 1)
        }
    }

    /// What was told since the event came stays.
    @Test func `a revoke that is settled counts as of its arrival in quarantine`() async throws {
        try await TestDatabase.with { database in
            try await database.insert(Ledger.tenant())
            var revoke = try NewEvent.of("u", .gone, "d1")
            revoke.isByArrival = true
            revoke.mappingVersion = 1
            try await database.insert(
                """
                insert into dialtone.events (event_id, source_id, delivery_id, item, tenant_id, outcome, received_at)
                values (\(revoke.id), \(revoke.source), 'd1', 0, 'acme', 'quarantined', now())
                """,
                """
                insert into dialtone.quarantine (event_id, source_id, config_version, size, reason, tenant_id,
                                                 body_sha256)
                values (\(revoke.id), \(revoke.source), 1, 1, 'missing', '-', sha256('x'))
                """)
            #expect(try await Self.said([try NewEvent.of("u", .live, "d2", at: 10)], database) == [.accepted])
            var clock = FairClock()
            try await database.commit(EventInsert.statements(for: [revoke], settling: .replay, &clock))
            #expect(try await WordBed.users(database) == ["acme u live"])
        }
    }

    private static func said(_ events: [NewEvent], _ database: TestDatabase) async throws -> [EventOutcome?] {
        var outcomes: [EventOutcome?] = []
        for event in events { outcomes += try await WriterBed.together([event], database) }
        return outcomes
    }
}
