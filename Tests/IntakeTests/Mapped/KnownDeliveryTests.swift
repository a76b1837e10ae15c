// SPDX-License-Identifier: Apache-2.0
// A delivery is known whatever its source's mapping and proofs are by now.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Intake

@Suite struct KnownDeliveryTests {
    private typealias Bed = HiddenIDTests
    typealias Kind = HiddenIDTests.Kind

    private static let noon = MappedIntakeTests.noon
    private static let sent = ["created-\(HiddenIDTests.person)", "unread-\(HiddenIDTests.person)"]

    // MARK: Other mappings

    /// With another person it has no word of its first take, so it is kept for an operator, and gives nobody anything.
    @Test(arguments: HiddenIDTests.kinds, ["/uid", "/nobody"])
    func `a delivery does not count again when its mapping reads another person, or nobody`(
        _ kind: Kind, _ place: String
    ) async throws {
        try await Bed.with(kind) { bed in
            let body = Bed.body(kind).replacing(#""type""#, with: #""uid":"other","type""#)
            let first = try await bed.send(body)
            #expect(first.status == .accepted)
            try await bed.change(kind.reading(place))
            let again = try await bed.send(body, at: Self.noon + 60)
            #expect(again.status == (place == "/uid" ? .quarantined : .duplicate))
            let live = try await bed.rows("select user_id from dialtone.users where wanted = 'live'")
            #expect(live == [Bed.person])
            try await bed.change(kind.configuration)
            let last = try await bed.send(body, at: Self.noon + 120)
            #expect(last.eventID == first.eventID && last.status == .duplicate)
        }
    }

    @Test(arguments: HiddenIDTests.kinds)
    func `what comes again and names a person by now meets its row in quarantine`(_ kind: Kind) async throws {
        try await Bed.with(kind) { bed in
            let body = Bed.body(kind, key: "uid")
            let first = try await bed.send(body)
            #expect(first.status == .quarantined)
            try await bed.change(kind.reading("/uid"))
            let again = try await bed.send(body, at: Self.noon + 60)
            #expect(again.eventID == first.eventID && again.status == .accepted)
            let (ids, shown) = try await (Bed.ids(bed), Bed.shown(bed))
            #expect(ids.count == 1 && shown == ["created-\(Bed.person)"])
        }
    }

    @Test(arguments: HiddenIDTests.kinds)
    func `what a replay takes in beside its event is known by its hash`(_ kind: Kind) async throws {
        try await ReplayBed.with(kind.configuration) { bed in
            if kind.org == "o" { try await bed.map("o") }
            // As a whole it cannot be read: the mapping splits it in another way.
            let body = Bed.body(kind, key: "uid")
            let other = #"{"id":"other","type":"joined","uid":"b","org":"\#(kind.org)","time":1}"#
            let both = body.replacing("]}", with: ",\(other)]}").replacing(#""events""#, with: #""more""#)
            let first = try await bed.bed.send(both)
            #expect(first.items.map(\.status) == [.quarantined])
            let text = kind.reading("/uid").replacing(#""split":"/events""#, with: #""split":"/more""#)
            try await bed.bed.change(text)
            let report = try await bed.run(first.eventID)
            #expect(report.outcome == .replayed)
            let sent = ["created-\(Bed.person)", "other"]
            let (ids, hashes, shown) = try await (
                Bed.ids(bed.bed), Bed.hashes(sent, bed.bed), Bed.shown(bed.bed)
            )
            #expect(ids == hashes && shown == sent)
            let again = try await bed.bed.send(both, at: Self.noon + 60)
            #expect(again.items.map(\.status) == [.duplicate, .duplicate])
        }
    }

    // MARK: Other proofs

    /// Both the writers and quarantine look for the form from before. A check does too, and changes nothing.
    @Test(arguments: HiddenIDTests.kinds, [true, false])
    func `a delivery from before its source's proofs became of another kind is a duplicate`(
        _ kind: Kind, toSigned: Bool
    ) async throws {
        let texts = toSigned ? (kind.configuration, kind.signed) : (kind.signed, kind.configuration)
        try await Bed.with(kind, texts.0) { bed in
            let used = Bed.body(kind)
            let unread = Bed.body(kind, "unread", number: 2, key: "uid")
            let first = try await Bed.send(used, bed)
            let kept = try await Bed.send(unread, bed)
            #expect(first.status == .accepted && kept.status == .quarantined)
            let before = try await Bed.ids(bed)
            _ = try await bed.registry.update(
                slug: "s", tenant: nil, configuration: Array(texts.1.utf8), allowedTenants: nil)
            let check = try await bed.registry.check(
                Array(used.utf8), headers: [], slug: "s", tenant: nil, now: Self.noon + 60)
            #expect(check.items.count == 1 && check.items.allSatisfy { $0.text.contains("duplicate") })
            let checked = try await Bed.ids(bed)
            #expect(checked == before)
            for _ in 1...2 {
                let again = try await Bed.send(used, at: Self.noon + 60, bed)
                #expect(again.status == .duplicate && again.eventID == first.eventID)
                let known = try await Bed.send(unread, at: Self.noon + 60, bed)
                #expect(known.status == .duplicate && known.eventID == kept.eventID)
            }
            let (ids, hashes, shown) = try await (Bed.ids(bed), Bed.hashes(Self.sent, bed), Bed.shown(bed))
            #expect(ids == (toSigned ? Self.sent : hashes) && shown == Self.sent)
            let hidden = try await bed.rows("select sent_id from dialtone.events where sent_id is not null")
            #expect(hidden.count == (toSigned ? 0 : 2))
        }
    }

    @Test(arguments: HiddenIDTests.kinds, [true, false])
    func `a replay gives a delivery from before the form of now`(_ kind: Kind, toSigned: Bool) async throws {
        let texts = toSigned ? (kind.configuration, kind.signed) : (kind.signed, kind.configuration)
        try await ReplayBed.with(texts.0) { bed in
            if kind.org == "o" { try await bed.map("o") }
            let body = Bed.body(kind, key: "uid")
            let first = try await Bed.send(body, bed.bed)
            #expect(first.status == .quarantined)
            _ = try await bed.bed.registry.update(
                slug: "s", tenant: nil, configuration: Array(kind.reading("/uid", in: texts.1).utf8),
                allowedTenants: nil)
            let report = try await bed.run(first.eventID)
            #expect(report.outcome == .replayed)
            let sent = ["created-\(Bed.person)"]
            let (ids, hashes, shown) = try await (
                Bed.ids(bed.bed), Bed.hashes(sent, bed.bed), Bed.shown(bed.bed)
            )
            #expect(ids == (toSigned ? sent : hashes) && shown == sent)
            let again = try await Bed.send(body, at: Self.noon + 60, bed.bed)
            #expect(again.eventID == first.eventID && again.status == .duplicate)
        }
    }

    /// The hash has stayed as the guard, and gets no sender's id back.
    @Test(arguments: HiddenIDTests.kinds)
    func `a row that an erasure has emptied stays empty when it takes the form of now`(_ kind: Kind) async throws {
        try await Bed.with(kind, kind.signed) { bed in
            let body = Bed.body(kind)
            let first = try await Bed.send(body, bed)
            _ = try await bed.database.admin.query(
                """
                update dialtone.events set user_id = null, wanted = null, outcome = 'ignored', detail = 'erased'
                """)
            _ = try await bed.registry.update(
                slug: "s", tenant: nil, configuration: Array(kind.configuration.utf8), allowedTenants: nil)
            let again = try await Bed.send(body, at: Self.noon + 60, bed)
            #expect(again.eventID == first.eventID && again.status == .duplicate)
            let (shown, hashes) = try await (Bed.shown(bed), Bed.hashes(["created-\(Bed.person)"], bed))
            #expect(shown == hashes)
        }
    }
}
