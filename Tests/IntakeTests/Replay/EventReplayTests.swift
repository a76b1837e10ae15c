// SPDX-License-Identifier: Apache-2.0
// An operator replays what is in quarantine: once each, by today's mapping, as of the word's own time.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Intake

@Suite struct EventReplayTests {
    /// As `MappedIntakeTests.split`, and a person may be deleted everywhere.
    static let people = MappedIntakeTests.split.replacing(
        #"{"on":"left","membership":"gone"}"#,
        with: #"{"on":"left","membership":"gone"},{"on":"deleted","person":"deleted"}"#)

    static func event(_ number: Int, _ user: String, type: String = "joined") -> String {
        MappedIntakeTests.event(number, user, org: "new", type: type)
    }

    @Test func `a replay of what was not mapped makes the user once the organisation is mapped, and once only`()
        async throws
    {
        try await ReplayBed.with(MappedIntakeTests.split) { bed in
            let event = try #require(try await bed.send(Self.event(1, "u")).first)
            let early = try await bed.run(event)
            #expect(early.outcome == .stays)
            #expect(early.reason == "its organisation is not mapped: dialtone source map add s new TENANT")
            #expect(early.now?.reason == "unmapped" && early.then.picks?["user_id"] == "u")
            #expect(try await bed.users().isEmpty)

            try await bed.map("new")
            let report = try await bed.run(event)
            #expect(report.outcome == .replayed && report.effect?.outcome == "accepted")
            #expect(report.effect?.users.map(\.user.user.rawValue) == ["u"])
            #expect(try await bed.users() == ["u live 1 1"])
            #expect(try await bed.quarantine() == ["unmapped replay"])
            let again = try await bed.run(event)
            #expect(again.outcome == .settled && again.reason == "it was replayed before")
            #expect(try await bed.users() == ["u live 1 1"])
            let times = try await bed.bed.rows(
                "select (occurred_at = \(MappedIntakeTests.noon - 999))::text from dialtone.users")
            #expect(times == ["true"], "the word's own time")
        }
    }

    @Test func `a dry run says what a replay would do, and changes no table`() async throws {
        try await ReplayBed.with(MappedIntakeTests.split) { bed in
            let event = try #require(try await bed.send(Self.event(1, "u")).first)
            try await bed.map("new")
            let before = try await bed.tables()
            let dry = try await bed.run(event, isDry: true)
            #expect(try await bed.tables() == before)
            let real = try await bed.run(event)
            #expect(dry == real, "it is the same transaction")
            #expect(dry.then.reason == "unmapped" && dry.now?.reason == nil && dry.now?.version == 1)
            #expect(dry.effect?.users.map(\.wanted) == [.live])
        }
    }

    @Test func `two replays at once settle an event once`() async throws {
        try await Self.withHeldRow { bed, event, free in
            async let first = bed.run(event)
            async let second = bed.run(event)
            try await free()
            let outcomes = try await [first.outcome, second.outcome]
            #expect(Set(outcomes) == [.replayed, .settled])
            #expect(try await bed.users() == ["u live 1 1"])
        }
    }

    @Test func `a replay beside the sender's next try settles an event once`() async throws {
        try await Self.withHeldRow { bed, event, free in
            async let replayed = bed.run(event)
            async let sent = bed.send(Self.event(1, "u"))
            try await free()
            #expect(try await sent == [event])
            #expect([.replayed, .settled].contains(try await replayed.outcome))
            #expect(try await bed.users() == ["u live 1 1"])
            let ledger = try await bed.bed.rows("select outcome from dialtone.events")
            #expect(ledger == ["accepted"])
        }
    }

    @Test func `of a join and a leave in quarantine the join alone is replayed: the leave is known, and newer`()
        async throws
    {
        try await ReplayBed.with(MappedIntakeTests.split) { bed in
            let events = try await bed.send(Self.event(1, "u"), Self.event(2, "u", type: "left"))
            try await bed.map("new")
            let report = try await bed.run(events[0])
            #expect(report.outcome == .replayed && report.effect?.outcome == "superseded")
            #expect(report.effect?.users == [])
            #expect(try await bed.users().filter { $0.contains("live") }.isEmpty)
        }
    }

    @Test func `who was deleted after the event came is not brought back by its replay`() async throws {
        try await ReplayBed.with(Self.people) { bed in
            let event = try #require(try await bed.send(Self.event(1, "u")).first)
            _ = try await bed.send(Self.event(2, "u", type: "deleted"))
            try await bed.map("new")
            #expect(try await bed.run(event).effect?.outcome == "superseded")
            #expect(try await bed.users().filter { $0.contains("live") }.isEmpty)
        }
    }

    @Test func `an organisation that is ignored settles its events, and they ask nothing`() async throws {
        try await ReplayBed.with(MappedIntakeTests.split) { bed in
            let event = try #require(try await bed.send(Self.event(1, "u")).first)
            try await bed.map("new", to: nil)
            #expect(try await bed.run(event).outcome == .ignored)
            #expect(try await bed.quarantine() == ["unmapped replay"])
            #expect(try await bed.users().isEmpty)
        }
    }

    @Test func `all open events of a source are replayed in the order of their arrival, of one reason if that is said`()
        async throws
    {
        try await ReplayBed.with(MappedIntakeTests.split) { bed in
            let bad = #"{"id":"bad","type":"joined","user":7.5,"org":"new","time":1}"#
            var events = try await bed.send(Self.event(1, "a"), bad)
            events += try await bed.send(Self.event(2, "b"))
            try await bed.map("new")
            let some = try await bed.runAll(reason: "unmapped")
            #expect(some.map(\.event) == [events[0], events[2]])
            #expect(some.allSatisfy { $0.outcome == .replayed })
            let rest = try await bed.runAll()
            #expect(rest.map(\.event) == [events[1]] && rest[0].reason == "/events/1/user has the wrong type")
            #expect(try await bed.users() == ["a live 1 1", "b live 1 1"])
        }
    }

    @Test func `an event that was dropped is not replayed, and is a duplicate when its sender sends it again`()
        async throws
    {
        try await ReplayBed.with(MappedIntakeTests.split) { bed in
            let body = #"{"events":[\#(Self.event(1, "u"))]}"#
            let event = try await bed.bed.send(body).eventID
            #expect(try await bed.replay.drop(event) == .dropped)
            #expect(try await bed.replay.drop(event) == .settled("it was dropped"))
            #expect(try await bed.replay.drop(EventID(at: Date())) == .unknown)
            try await bed.map("new")
            #expect(try await bed.run(event).outcome == .settled)
            let again = try await bed.bed.send(body)
            #expect(again.eventID == event && again.status == .duplicate)
            #expect(try await bed.users().isEmpty)
            #expect(try await bed.quarantine() == ["unmapped dropped"])
        }
    }

    /// Lends an event that can be used by now, and whose row is locked until `free` is called. `free` waits until
    /// somebody waits for the lock.
    private static func withHeldRow(
        _ work: (ReplayBed, EventID, () async throws -> Void) async throws -> Void
    ) async throws {
        try await ReplayBed.with(MappedIntakeTests.split) { bed in
            let event = try #require(try await bed.send(Self.event(1, "u")).first)
            try await bed.map("new")
            let holder = try await PostgresConnection.connect(PostgresConfiguration(url: bed.database.url))
            try await holder.script("begin; select 1 from dialtone.quarantine for update")
            try await work(bed, event) {
                try await bed.database.untilSomebodyWaitsForALock()
                try await holder.script("commit")
            }
            await holder.close()
        }
    }
}
