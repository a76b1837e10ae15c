// SPDX-License-Identifier: Apache-2.0
// Where a source signs no time, an id that names a person is not in the ledger, and its delivery is known all the same.

import Directory
import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Intake

@Suite struct HiddenIDTests {
    private typealias Bed = MappedIntakeTests.Bed

    private static let person = "person-8c1f6a"

    struct Kind: Sendable {
        let configuration: String
        let org: String
    }

    /// A tracked source and a plain one. A secret in a header proves both.
    private static let kinds = [
        Kind(configuration: MappedIntakeTests.split, org: "o"),
        Kind(
            configuration: MappedIntakeTests.split.replacing(
                #""tenant":"table""#, with: #""tenant":{"allow":["acme"]}"#), org: "acme"),
    ]

    /// One event whose id names the person.
    private static func body(
        _ kind: Kind, _ prefix: String = "created", number: Int = 1, type: String = "joined", key: String = "user"
    ) -> String {
        let event = MappedIntakeTests.event(number, Self.person, org: kind.org, type: type)
            .replacing(#""id":"e\#(number)""#, with: #""id":"\#(prefix)-\#(Self.person)""#)
            .replacing(#""user""#, with: "\"\(key)\"")
        return #"{"events":[\#(event)]}"#
    }

    private static func with(_ kind: Kind, _ work: (Bed) async throws -> Void) async throws {
        try await MappedIntakeTests.with(kind.configuration, maps: kind.org == "o", work)
    }

    /// The hash as the database makes it.
    private static func hashes(_ prefix: String, _ bed: Bed) async throws -> [String] {
        try await bed.rows(
            """
            select 'sha256:' || encode(sha256(convert_to(
                source_id::text || ':' || \(prefix + "-" + Self.person), 'UTF8')), 'hex')
            from dialtone.sources where source_id = \(bed.source.id)
            """)
    }

    private static func ids(_ bed: Bed) async throws -> [String] {
        try await bed.rows("select delivery_id from dialtone.events")
    }

    @Test func `an id is hidden where its source signs no time and it names one of its people, letter by letter`()
        throws
    {
        let source = SourceID(rawValue: UUID())
        func stored(_ id: String, signsTime: Bool = false, elsewhere: SourceID? = nil) throws -> StoredID {
            let word = Word(
                person: try UserID("u-1"), ofPerson: .live, organization: nil, ofMembership: nil, tenant: nil,
                moment: .unknown, isWeak: false, isWhole: false)
            return StoredID(
                MappedDelivery(id: id, items: [.ignored(.unrelated), .word(word)], type: nil),
                of: elsewhere ?? source, signsTime: signsTime)
        }
        let hidden = try stored("created-u-12")
        #expect(hidden.text.hasPrefix("sha256:") && hidden.text.utf8.count == 71 && hidden.hidden == "created-u-12")
        let other = try stored("created-u-12", elsewhere: SourceID(rawValue: UUID()))
        #expect(other.text != hidden.text, "two sources do not show that they have one person")
        let signed = try stored("created-u-12", signsTime: true)
        #expect(signed.text == "created-u-12" && signed.hidden == nil)
        for id in ["created-U-1", "u-2", "u"] {
            let shown = try stored(id)
            #expect(shown.text == id && shown.hidden == nil)
        }
    }

    @Test(arguments: Self.kinds)
    func `a delivery whose id names its person is stored under a hash, and known by it`(_ kind: Kind) async throws {
        try await Self.with(kind) { bed in
            let first = try await bed.send(Self.body(kind))
            #expect(first.status == .accepted)
            let other = try await bed.send(Self.body(kind, "again", number: 2))
            #expect(other.eventID != first.eventID)
            let again = try await bed.send(Self.body(kind))
            #expect(again.status == .duplicate && again.eventID == first.eventID)
            let wanted = try await Self.hashes("created", bed) + Self.hashes("again", bed)
            let ids = try await Self.ids(bed)
            #expect(ids.sorted() == wanted.sorted())
        }
    }

    /// `isOld`: the ledger had the ids themselves when the person was erased.
    @Test(arguments: Self.kinds, [true, false])
    func `no event names a person who was erased, and a replay is a duplicate`(_ kind: Kind, isOld: Bool) async throws {
        try await Self.with(kind) { bed in
            let joined = Self.body(kind)
            let left = Self.body(kind, "deleted", number: 2, type: "left")
            _ = try await (bed.send(joined), bed.send(left))
            if isOld {
                _ = try await bed.database.admin.query(
                    """
                    update dialtone.events
                    set delivery_id = case wanted when 'live' then 'created-' else 'deleted-' end || user_id
                    """)
            }
            try await bed.database.admin.script(
                "update dialtone.users set status = 'revoked'; delete from dialtone.jobs")
            let user = UserKey(tenant: try TenantID("acme"), user: try UserID(Self.person))
            let report = try await UserErasure(pool: bed.database.pool, settle: .zero).erase(user)
            #expect(report.events == 2)
            let named = try await bed.rows(
                "select event::text from dialtone.events event where strpos(event::text, \(Self.person)) > 0")
            #expect(named.isEmpty)
            for body in [joined, left] {
                let again = try await bed.send(body)
                #expect(again.status == .duplicate)
            }
            let live = try await bed.rows("select user_id from dialtone.users where wanted = 'live'")
            #expect(live.isEmpty)
        }
    }

    // MARK: Other mappings

    /// Nothing could be read of the delivery when it came first, so its id was not known to name anybody.
    @Test(arguments: Self.kinds)
    func `what comes again and names a person by now meets its row in quarantine`(_ kind: Kind) async throws {
        try await Self.with(kind) { bed in
            let body = Self.body(kind, key: "uid")
            let first = try await bed.send(body)
            #expect(first.status == .quarantined)
            try await bed.change(kind.configuration.replacing(#""user_id":"/user""#, with: #""user_id":"/uid""#))
            let again = try await bed.send(body, at: MappedIntakeTests.noon + 60)
            #expect(again.eventID == first.eventID && again.status == .accepted)
            let (ids, wanted) = try await (Self.ids(bed), Self.hashes("created", bed))
            #expect(ids == wanted)
        }
    }

    @Test(arguments: Self.kinds)
    func `what comes again and cannot be read by now is known`(_ kind: Kind) async throws {
        try await Self.with(kind) { bed in
            let first = try await bed.send(Self.body(kind))
            try await bed.change(kind.configuration.replacing(#""user_id":"/user""#, with: #""user_id":"/uid""#))
            let again = try await bed.send(Self.body(kind), at: MappedIntakeTests.noon + 60)
            #expect(again.eventID == first.eventID && again.status == .duplicate)
            let ids = try await Self.ids(bed)
            #expect(ids.count == 1)
        }
    }

    @Test(arguments: Self.kinds)
    func `a replay that reads whom an id names hides it, and its sender's next try is known`(
        _ kind: Kind
    ) async throws {
        try await ReplayBed.with(kind.configuration) { bed in
            if kind.org == "o" { try await bed.map("o") }
            let other = #"{"id":"other","type":"joined","uid":"b","org":"\#(kind.org)","time":1}"#
            let body = Self.body(kind, key: "uid").replacing("]}", with: ",\(other)]}")
            let first = try await bed.bed.send(body)
            #expect(first.items.map(\.status) == [.quarantined, .quarantined])
            try await bed.mend(#""user_id":"/user""#, #""user_id":"/uid""#)
            let report = try await bed.run(first.eventID)
            #expect(report.outcome == .replayed)
            let (ids, wanted) = try await (Self.ids(bed.bed), Self.hashes("created", bed.bed))
            #expect(ids.sorted() == (wanted + ["other"]).sorted())
            let again = try await bed.bed.send(body, at: MappedIntakeTests.noon + 60)
            #expect(again.eventID == first.eventID && again.items.map(\.status) == [.duplicate, .accepted])
        }
    }
}
