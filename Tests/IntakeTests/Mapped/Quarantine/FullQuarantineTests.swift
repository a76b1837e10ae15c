// SPDX-License-Identifier: Apache-2.0
// Where the quarantine of a source is full, words of organisations that are not mapped are not kept for an operator.

import Foundation
import Logging
import Model
import Postgres
import TestSupport
import Testing

@testable import Intake

extension MappedIntakeTests {
    private static func fill(_ bed: Bed, leaving places: Int = 0) async throws {
        let count = Int64(QuarantineRoom.maximumOpen - places)
        try await bed.database.insert(
            """
            insert into dialtone.quarantine (event_id, source_id, config_version, size, reason, tenant_id, body_sha256)
            select gen_random_uuid(), \(bed.source.id), 1, 1, 'unmapped', '-', sha256('x')
            from generate_series(1, \(count))
            """)
    }

    /// Sends what cannot be used, so that the node counts.
    private static func sendUnusable(_ bed: Bed) async throws -> EventOutcome {
        try await bed.send(#"{"events":[{"id":"bad","type":"joined","user":7.5,"org":"o","time":1}]}"#).status
    }

    /// Rows of the ledger that are in quarantine and have no note. They keep no sender's id.
    private static let withoutNote: SQL = """
        select coalesce(sent_id, outcome) from dialtone.events where outcome = 'quarantined'
        and event_id not in (select event_id from dialtone.quarantine)
        """

    @Test func `a full quarantine ignores what is not mapped, and takes in what is`() async throws {
        try await Self.with(Self.split) { bed in
            try await Self.fill(bed)
            #expect(try await Self.sendUnusable(bed) == .ignored)
            let receipt = try await bed.send(
                #"{"events":[\#(Self.event(1, "u", org: "new")),\#(Self.event(2, "v"))]}"#)
            #expect(receipt.items.map(\.status) == [.ignored, .accepted] && receipt.answer?.status == 202)
            let alone = try await bed.send(#"{"events":[\#(Self.event(3, "u", org: "new"))]}"#)
            #expect(alone.status == .ignored && alone.answer?.status == 200)
            let stored = try await bed.rows("select coalesce(sent_id, delivery_id) from dialtone.events")
            #expect(stored == ["e2"])
            let facts = try await bed.rows("select external_user from dialtone.memberships")
            #expect(facts == ["v"])
        }
    }

    /// Else the join would bring in somebody who has left, once the organisation is mapped.
    @Test func `a full quarantine keeps no leave from what is known, and no word from its person and its list`()
        async throws
    {
        try await TestDatabase.with { database in
            try await WordBed.prepare(database)
            func full(_ said: Said) -> Said { said.with { $0.isKeptUnmapped = false } }
            _ = try await WordBed.say([.joins("o1", 10), .joins("o9", 10)], database)
            let suspended = Said.leaves("o8", 20).with { $0.ofPerson = .suspended }
            let active = Said.joins("o7", 30).with { $0.ofPerson = .live }
            let outcomes = try await WordBed.say(
                [
                    full(.leaves("o9", 20)), full(.joins("o8", 20)), full(.leaves("o8", 20)), full(suspended),
                    full(active),
                ],
                database)
            #expect(
                outcomes == [
                    "accepted", "ignored unmapped", "ignored unmapped", "quarantined unmapped", "quarantined unmapped",
                ])
            let facts = try await database.admin.query(
                "select external_tenant || ' ' || state from dialtone.memberships order by 1"
            ).map { try $0.decode(String.self) }
            #expect(facts == ["o1 live", "o7 live", "o8 gone", "o9 gone"])
            #expect(try await WordBed.users(database) == ["acme u live"])
            _ = try await WordBed.say([full(.list("o6", 40))], database)
            let listed = try await database.admin.query(
                "select 1 from dialtone.memberships where external_tenant = 'o6' and state = 'live'")
            #expect(listed.count == 1)
            #expect(try await WordBed.users(database) == ["acme u gone"])
            let quarantined = try await database.admin.query(
                "select external_tenant from dialtone.events where outcome = 'quarantined' order by 1"
            ).map { try $0.decode(String.self) }
            #expect(quarantined == ["o6", "o7", "o8", "o9"], "their memberships may count when they come again")
        }
    }

    /// As `split`, and who joins is there.
    private static let people = Self.split.replacing(#""on":"joined","#, with: #""on":"joined","person":"live","#)

    private static let live: SQL = "select user_id from dialtone.users where wanted = 'live'"

    @Test(arguments: [Self.split, Self.people])
    func `an unmapped event that comes again while quarantine is full stays there, and counts once it is replayed`(
        configuration: String
    ) async throws {
        try await Self.with(configuration) { bed in
            try await Self.fill(bed, leaving: 1)
            let body = #"{"events":[\#(Self.event(1, "u", org: "new"))]}"#
            let first = try await bed.send(body)
            #expect(first.status == .quarantined)
            #expect(try await Self.sendUnusable(bed) == .ignored, "the last place is taken")
            let again = try await bed.send(body)
            #expect(again.items == [Receipt.Item(eventID: first.eventID, status: .quarantined)])
            let open = try await bed.rows(
                """
                select concat_ws(' ', outcome, settled_by, sealed is not null)
                from dialtone.quarantine join dialtone.events using (event_id)
                """)
            #expect(open == ["quarantined t"])
            try await bed.registry.map("new", to: TenantID("acme"), slug: "s", tenant: nil)
            let later = Self.noon + 3600
            let replay = EventReplay(pool: bed.registry.pool, vault: bed.registry.vault, now: { later })
            let report = try await replay.replay(first.eventID, isDry: false)
            #expect(report?.outcome == .replayed)
            let live = try await bed.rows(Self.live)
            #expect(live == ["u"])
        }
    }

    @Test func `a join of a new person that a full quarantine did not keep counts when it comes again once mapped`()
        async throws
    {
        try await Self.with(Self.people) { bed in
            try await Self.fill(bed)
            #expect(try await Self.sendUnusable(bed) == .ignored)
            let body = #"{"events":[\#(Self.event(1, "u", org: "new"))]}"#
            let first = try await bed.send(body)
            #expect(first.items == [Receipt.Item(eventID: first.eventID, status: .quarantined, isNotKept: true)])
            let notes = try await bed.rows(Self.withoutNote)
            #expect(notes == ["quarantined"])
            await bed.intake.tally.write(now: Self.noon)
            let counts = try await bed.rows(
                "select concat_ws(' ', outcome, count) from dialtone.tally where reason = 'unmapped'")
            #expect(counts == ["not_kept 1"])
            try await bed.registry.map("new", to: TenantID("acme"), slug: "s", tenant: nil)
            let again = try await bed.send(body)
            #expect(again.items.map(\.eventID) == [first.eventID] && again.status == .accepted)
            let live = try await bed.rows(Self.live)
            #expect(live == ["u"])
        }
    }

    /// The writer has stored the event before anybody knew that there is no room.
    @Test func `an event that is stored in quarantine has its note, also where quarantine is full`() async throws {
        try await Self.with(Self.split) { bed in
            try await Self.fill(bed)
            let first = try await bed.send(#"{"events":[\#(Self.event(1, "u", org: "new"))]}"#)
            #expect(first.status == .quarantined)
            let second = try await bed.send(#"{"events":[\#(Self.event(2, "u", org: "new"))]}"#)
            #expect(second.status == .ignored)
            let rows = try await bed.rows(Self.withoutNote)
            #expect(rows.isEmpty)
        }
    }

    @Test func `a source that was full has room again when it is counted anew`() async throws {
        try await Self.with(Self.split) { bed in
            try await Self.fill(bed)
            let room = QuarantineRoom(
                pool: bed.database.pool, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            let later = ContinuousClock.now + .seconds(60)
            #expect(room.hasRoom(bed.source.id), "nobody has counted")
            _ = try await room.left(of: bed.source.id, named: "s")
            #expect(!room.hasRoom(bed.source.id) && !room.isDue, "the count is new")
            _ = try await bed.database.admin.query(
                "update dialtone.quarantine set settled_at = now(), settled_by = 'map'")
            #expect(!room.hasRoom(bed.source.id, now: later) && room.isDue)
            await room.countDue(now: later)
            #expect(room.hasRoom(bed.source.id, now: later) && !room.isDue)
        }
    }
}
