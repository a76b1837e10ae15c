// SPDX-License-Identifier: Apache-2.0
// A mapping is mended and tried on what was kept: items, whole deliveries and whole requests, headers and bytes.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Intake

@Suite struct MendedMappingTests {
    /// Each event names its tenant, so the source is plain.
    private static let plain = MappedIntakeTests.split.replacing(
        #""tenant":"table""#, with: #""tenant":{"allow":["acme"]}"#)

    private static func odd(_ number: Int, _ user: String, org: String = "acme", type: String = "joined") -> String {
        MappedIntakeTests.event(number, user, org: org, type: type).replacing(#""user""#, with: #""uid""#)
    }

    @Test(arguments: [MappedIntakeTests.split, plain])
    func `a mended mapping reads the kept body, at a source of either kind`(configuration: String) async throws {
        try await ReplayBed.with(configuration) { bed in
            let events = try await bed.send(Self.odd(1, "a"), Self.odd(2, "b"))
            if configuration == MappedIntakeTests.split { try await bed.map("acme") }
            let still = try await bed.run(events[0])
            #expect(still.outcome == .stays && still.reason == "/events/0/user is missing")
            try await bed.mend(#""user_id":"/user""#, #""user_id":"/uid""#)
            let report = try await bed.run(events[0])
            #expect(report.outcome == .replayed && report.now?.version == 2 && report.then.version == 1)
            #expect(report.now?.picks["user_id"] == "a" && report.then.picks?["user_id"] == nil)
            #expect(try await bed.users() == ["a live 1 1"])
            #expect(try await bed.run(events[1]).outcome == .replayed, "its body is there still")
            #expect(try await bed.users() == ["a live 1 1", "b live 1 1"])
            #expect(try await bed.quarantine() == ["missing replay", "missing replay"], "and gone with the last one")
            let ledger = try await bed.bed.rows(
                "select concat_ws(' ', outcome, user_id, config_version, occurred_at is not null) from dialtone.events")
            #expect(Set(ledger) == ["accepted a 2 t", "accepted b 2 t"])
        }
    }

    @Test func `the rows of one request share one body, whoever settles which of them`() async throws {
        try await ReplayBed.with(MappedIntakeTests.split) { bed in
            try await bed.map("acme")
            let events = try await bed.send(Self.odd(1, "a"), Self.odd(2, "b"), Self.odd(3, "c"), Self.odd(4, "d"))
            #expect(try await bed.bodies().count == 1)
            try await bed.mend(#""user_id":"/user""#, #""user_id":{"first":["/user","/uid"]}"#)
            for event in events.reversed().prefix(2) {
                #expect(try await bed.run(event).outcome == .replayed)
                #expect(try await bed.bodies().count == 1)
            }
            // The sender repeats one of them, in another request.
            _ = try await bed.send(MappedIntakeTests.event(1, "a", org: "acme"))
            #expect(try await bed.bodies().count == 1)
            #expect(try await bed.replay.drop(events[1]) == .dropped)
            #expect(
                try await bed.quarantine() == ["missing resend", "missing dropped", "missing replay", "missing replay"])
            #expect(try await bed.bodies().isEmpty)
            #expect(try await bed.users() == ["a live 1 1", "c live 1 1", "d live 1 1"])
        }
    }

    @Test func `two rows of one request that are settled at once leave the body to the third`() async throws {
        try await ReplayBed.with(MappedIntakeTests.split) { bed in
            try await bed.map("acme")
            let sent = try await bed.send(Self.odd(1, "a"), Self.odd(2, "b"), Self.odd(3, "c"))
            try await bed.mend(#""user_id":"/user""#, #""user_id":"/uid""#)
            // The last row holds the body, and the one before it is next.
            let events = sent.sorted { $0.rawValue < $1.rawValue }
            let holder = try await PostgresConnection.connect(PostgresConfiguration(url: bed.database.url))
            try await holder.script("begin; select 1 from dialtone.quarantine for update")
            async let last = bed.run(events[2])
            async let next = bed.run(events[1])
            try await bed.database.untilSomebodyWaitsForALock()
            try await holder.script("commit")
            #expect(try await [last.outcome, next.outcome] == [.replayed, .replayed])
            await holder.close()
            #expect(try await bed.bodies().count == 1)
            #expect(try await bed.run(events[0]).outcome == .replayed)
            #expect(try await bed.users().count == 3)
        }
    }

    @Test func `where a whole request failed, its replay takes in all that is read there now`() async throws {
        try await ReplayBed.with(MappedIntakeTests.split) { bed in
            try await bed.map("acme")
            let good = [MappedIntakeTests.event(1, "a", org: "acme"), MappedIntakeTests.event(2, "b", org: "acme")]
            let unmapped = MappedIntakeTests.event(3, "c", org: "new")
            let body = #"{"items":[\#((good + [unmapped, Self.odd(4, "d")]).joined(separator: ","))]}"#
            let receipt = try await bed.bed.send(body)
            #expect(receipt.items.map(\.status) == [.quarantined])
            try await bed.mend(#""split":"/events""#, #""split":"/items""#)
            let dry = try await bed.run(receipt.eventID, isDry: true)
            let report = try await bed.run(receipt.eventID)
            #expect(report.outcome == .replayed && report.effect?.further == 3 && dry.effect == report.effect)
            #expect(report.effect?.users.map(\.user.user.rawValue) == ["a", "b"])
            #expect(try await bed.users() == ["a live 1 1", "b live 1 1"])
            let reasons = try await bed.quarantine().map { $0.replacing(" body", with: "") }
            #expect(Set(reasons) == ["missing replay", "unmapped", "missing"])
            #expect(try await bed.bodies().count == 1, "the new rows have it")
            try await bed.map("new")
            let rest = try await bed.runAll(reason: "unmapped")
            #expect(rest.map(\.outcome) == [.replayed])
            #expect(try await bed.users() == ["a live 1 1", "b live 1 1", "c live 1 1"])
        }
    }

    /// As `split`, where arrival counts.
    private static let byArrival = MappedIntakeTests.split.replacing(
        #""time":{"at":"/time","as":"seconds"}"#, with: #""order":"arrival""#)

    @Test func `what a replay has taken in of a whole request is known when its sender sends it again`() async throws {
        try await ReplayBed.with(Self.byArrival) { bed in
            try await bed.map("acme")
            let joined = ["a", "b"].enumerated().map {
                MappedIntakeTests.event($0.offset + 1, $0.element, org: "acme")
            }
            let body = #"{"items":[\#(joined.joined(separator: ","))]}"#
            let receipt = try await bed.bed.send(body)
            #expect(receipt.items.map(\.status) == [.quarantined])
            try await bed.mend(#""split":"/events""#, #""split":"/items""#)
            #expect(try await bed.run(receipt.eventID).outcome == .replayed)
            let left = MappedIntakeTests.event(3, "a", org: "acme", type: "left")
            _ = try await bed.bed.send(#"{"items":[\#(left)]}"#, at: MappedIntakeTests.noon + 60)
            let again = try await bed.bed.send(body, at: MappedIntakeTests.noon + 60)
            #expect(again.items.map(\.status) == [.duplicate, .duplicate] && again.eventID == receipt.eventID)
            let wanted = try await bed.bed.rows("select wanted from dialtone.users order by user_id")
            #expect(wanted == ["gone", "live"])
        }
    }

    @Test func `an item that another mapping would number otherwise stays`() async throws {
        let each = MappedIntakeTests.each.replacing(#""user_id":".""#, with: #""user_id":"./id""#)
        try await ReplayBed.with(each) { bed in
            try await bed.map("o")
            let body =
                #"{"id":"d","type":"joined","org":"o","users":[{"id":"a"},{"id":7.5,"uid":"b"},{"id":"c","uid":"x"}]}"#
            let receipt = try await bed.bed.send(body)
            #expect(receipt.items.map(\.status) == [.accepted, .quarantined, .accepted])
            try await bed.mend(#""user_id":"./id""#, #""user_id":{"first":["./uid","./id"]}"#)
            let report = try await bed.run(receipt.items[1].eventID)
            #expect(report.outcome == .stays)
            #expect(report.reason == "today's mapping numbers the items of its delivery in another way")
            #expect(try await bed.users() == ["a live 1 1", "c live 1 1"])
        }
    }

    @Test func `headers that the mapping reads are kept with a body that is no text, and none that proves`()
        async throws
    {
        let configuration = """
            {"grammar":1,"tenant":"table","proofs":[{"kind":"bearer"}],"body":"optional-json","type":{"header":"x-type"},
             "delivery_id":{"header":"x-id"},"actor":{"header":"authorization"},"user_id":{"header":"x-user"},
             "organization":{"header":"x-org"},\(MappedIntakeTests.rules)}
            """
        try await ReplayBed.with(configuration) { bed in
            let headers = [
                "x-type": "joined", "x-id": "1", "x-user": "u", "x-org": "new", "x-other": "canary-other",
                "cookie": "canary-cookie",
            ]
            let receipt = try await bed.send([0xFF, 0xFE, 0x00], headers)
            #expect(receipt.status == .quarantined)
            let kept = try #require(try await bed.bodies().first)
            #expect(kept.body == [0xFF, 0xFE, 0x00])
            #expect(kept.headers.map(\.name) == ["x-id", "x-org", "x-type", "x-user"])
            try await bed.map("new")
            let report = try await bed.run(receipt.eventID)
            #expect(report.outcome == .replayed)
            #expect(try await bed.users() == ["u live 1 1"])
            let secret = try #require(bed.bed.source.secret).reveal()
            #expect(!"\(report)".contains(secret))
        }
    }

    /// Its time lay ahead of the clock when it came.
    @Test func `a time that was ahead may count when that time has come`() async throws {
        try await ReplayBed.with(MappedIntakeTests.split) { bed in
            try await bed.map("o")
            let events = try await bed.send(MappedIntakeTests.event(1000 + 600, "u"))
            #expect(try await bed.quarantine() == ["time_ahead body"])
            #expect(try await bed.run(events[0]).outcome == .replayed)
            #expect(try await bed.users() == ["u live 1 1"])
        }
    }

    /// The time of the revoke cannot be read, so it counts as of its arrival, by the database's clock.
    @Test func `a revoke of a plain source that counts as of its arrival takes away no newer sign-up`() async throws {
        try await ReplayBed.with(Self.plain) { bed in
            let revoke = #"{"id":"r","type":"left","uid":"u","org":"acme","time":"never"}"#
            let event = try #require(try await bed.send(revoke).first)
            _ = try await bed.send(MappedIntakeTests.event(1, "u", org: "acme"))
            _ = try await bed.database.admin.query(
                "update dialtone.users set occurred_at = clock_timestamp() + interval '1 hour'")
            try await bed.mend(#""user_id":"/user""#, #""user_id":{"first":["/user","/uid"]}"#)
            #expect(try await bed.run(event).effect?.outcome == "superseded")
            #expect(try await bed.users() == ["u live 1 1"])
        }
    }
}
