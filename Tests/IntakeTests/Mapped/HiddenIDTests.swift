// SPDX-License-Identifier: Apache-2.0
// Where a source signs no time, the ledger has hashes of its senders' ids, and knows each delivery by its hash.

import Directory
import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Intake

@Suite struct HiddenIDTests {
    typealias Bed = MappedIntakeTests.Bed

    static let person = "person-8c1f6a"

    struct Kind: Sendable {
        let configuration: String
        let org: String

        /// The same with a proof that signs a time. The secret that is made for a bearer serves for it too.
        var signed: String {
            self.configuration.replacing(#"{"kind":"bearer"}"#, with: #"{"kind":"standard-webhooks"}"#)
        }
        /// It reads another member as the person.
        func reading(_ place: String, in configuration: String? = nil) -> String {
            (configuration ?? self.configuration)
                .replacing(#""user_id":"/user""#, with: "\"user_id\":\"\(place)\"")
        }
    }

    /// A tracked source and a plain one. A secret in a header proves both.
    static let kinds = [
        Kind(configuration: MappedIntakeTests.split, org: "o"),
        Kind(
            configuration: MappedIntakeTests.split.replacing(
                #""tenant":"table""#, with: #""tenant":{"allow":["acme"]}"#), org: "acme"),
    ]

    /// One event whose id names the person.
    static func body(
        _ kind: Kind, _ prefix: String = "created", number: Int = 1, type: String = "joined", key: String = "user"
    ) -> String {
        let event = MappedIntakeTests.event(number, Self.person, org: kind.org, type: type)
            .replacing(#""id":"e\#(number)""#, with: #""id":"\#(prefix)-\#(Self.person)""#)
            .replacing(#""user""#, with: "\"\(key)\"")
        return #"{"events":[\#(event)]}"#
    }

    static func with(
        _ kind: Kind, _ configuration: String? = nil, _ work: (Bed) async throws -> Void
    ) async throws {
        try await MappedIntakeTests.with(configuration ?? kind.configuration, maps: kind.org == "o", work)
    }

    /// Sends a body with a proof of either kind.
    static func send(_ body: String, at now: Date = MappedIntakeTests.noon, _ bed: Bed) async throws -> Receipt {
        let secret = try #require(bed.source.secret).reveal()
        let stamp = Int64(now.timeIntervalSince1970)
        let headers = [
            "authorization": "Bearer \(secret)", "webhook-id": "msg", "webhook-timestamp": "\(stamp)",
            "webhook-signature": StandardWebhooksProof.sign(
                id: "msg", timestamp: stamp, body: Array(body.utf8), key: try StandardWebhooksProof.key(from: secret)),
        ]
        return try await bed.intake.receive(
            Delivery(
                hook: bed.source.hookID, headers: { name in headers[name].map { [$0] } ?? [] },
                body: Array(body.utf8), receivedAt: now))
    }

    /// The hashes as the database makes them.
    static func hashes(_ ids: [String], _ bed: Bed) async throws -> [String] {
        try await bed.rows(
            """
            select 'sha256:' || encode(sha256(convert_to(source_id::text || ':' || told.id, 'UTF8')), 'hex')
            from dialtone.sources, unnest(\(ids)) as told (id) where source_id = \(bed.source.id)
            """
        ).sorted()
    }

    static func ids(_ bed: Bed) async throws -> [String] {
        try await bed.rows("select delivery_id from dialtone.events").sorted()
    }

    /// As an operator's list shows them.
    static func shown(_ bed: Bed) async throws -> [String] {
        try await EventReader(pool: bed.database.pool).newest(of: nil, tenant: nil, limit: 99).entries
            .map(\.deliveryID).sorted()
    }

    // MARK: The stored id

    @Test func `the stored id depends on the source, its kind of proof and the sender's id alone`() {
        let source = SourceID(rawValue: UUID())
        let (hidden, plain) = (
            StoredID("e-1", of: source, signsTime: false), StoredID("e-1", of: source, signsTime: true)
        )
        #expect(hidden.text.hasPrefix("sha256:") && hidden.text.utf8.count == 71 && hidden.hidden == "e-1")
        #expect(plain.text == "e-1" && plain.hidden == nil)
        #expect(hidden.move == nil && plain.move == nil, "nothing is asked where the proofs have not changed")
        let other = StoredID("e-1", of: SourceID(rawValue: UUID()), signsTime: false)
        #expect(other.text != hidden.text, "two sources do not show that they have one person")
        let toHash = StoredID("e-1", of: source, signsTime: false, haveChanged: true)
        #expect(toHash.move == MovedID(source: source, former: "e-1", now: hidden.text, sent: "e-1"))
        let toID = StoredID("e-1", of: source, signsTime: true, haveChanged: true)
        #expect(toID.move == MovedID(source: source, former: hidden.text, now: "e-1", sent: nil))
    }

    @Test(arguments: Self.kinds)
    func `a delivery is stored under a hash, is known by it, and shows its sender's id`(_ kind: Kind) async throws {
        try await Self.with(kind) { bed in
            let first = try await Self.send(Self.body(kind), bed)
            #expect(first.status == .accepted)
            let other = try await Self.send(Self.body(kind, "again", number: 2), bed)
            #expect(other.eventID != first.eventID)
            let unread = try await Self.send(Self.body(kind, "unread", number: 3, key: "uid"), bed)
            #expect(unread.status == .quarantined)
            let again = try await Self.send(Self.body(kind), bed)
            #expect(again.status == .duplicate && again.eventID == first.eventID)
            let sent = ["again", "created", "unread"].map { "\($0)-\(Self.person)" }
            let (ids, hashes) = try await (Self.ids(bed), Self.hashes(sent, bed))
            #expect(ids == hashes)
            let shown = try await Self.shown(bed)
            #expect(shown == sent)
        }
    }

    /// The second one is kept for an operator, under an id of its own.
    @Test(arguments: Self.kinds)
    func `an id that was used for another event has a suffix in the ledger, and its sender's id is shown`(
        _ kind: Kind
    ) async throws {
        try await Self.with(kind) { bed in
            _ = try await Self.send(Self.body(kind), bed)
            let other = Self.body(kind).replacing(#""user":"\#(Self.person)""#, with: #""user":"b""#)
            for status in [EventOutcome.quarantined, .duplicate] {
                let receipt = try await Self.send(other, bed)
                #expect(receipt.status == status)
            }
            let hash = try await Self.hashes(["created-\(Self.person)"], bed)[0]
            let ids = try await Self.ids(bed)
            #expect(ids.count == 2 && ids[0] == hash && ids[1].hasPrefix(hash + "#"))
            let shown = try await Self.shown(bed)
            #expect(shown == ["created-\(Self.person)", "created-\(Self.person)"])
        }
    }

    // MARK: Erasure

    enum Form: CaseIterable, Sendable {
        /// As intake stores ids today.
        case hashed
        /// The ledger has had the ids themselves since before.
        case old
        /// The source signs a time.
        case signed
    }

    @Test(arguments: Self.kinds, Form.allCases)
    func `no event names a person who was erased, and where no time is signed a replay is a duplicate`(
        _ kind: Kind, _ form: Form
    ) async throws {
        try await Self.with(kind, form == .signed ? kind.signed : kind.configuration) { bed in
            let joined = Self.body(kind)
            let left = Self.body(kind, "deleted", number: 2, type: "left")
            for body in [joined, left] { _ = try await Self.send(body, bed) }
            if form == .old {
                _ = try await bed.database.admin.query(
                    """
                    update dialtone.events
                    set delivery_id = case wanted when 'live' then 'created-' else 'deleted-' end || user_id,
                        sent_id = null
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
            let sent = ["created-\(Self.person)", "deleted-\(Self.person)"]
            let (shown, hashes) = try await (Self.shown(bed), Self.hashes(sent, bed))
            #expect(shown == hashes)
            guard form != .signed else { return }
            for body in [joined, left] {
                let again = try await Self.send(body, bed)
                #expect(again.status == .duplicate)
            }
            let live = try await bed.rows("select user_id from dialtone.users where wanted = 'live'")
            #expect(live.isEmpty)
        }
    }

    /// It names no user, so no erasure would find what its sender's id names.
    @Test(arguments: Self.kinds)
    func `an event that was dropped keeps no sender's id, and is known`(_ kind: Kind) async throws {
        try await ReplayBed.with(kind.configuration) { bed in
            let body = Self.body(kind, key: "uid")
            let first = try await Self.send(body, bed.bed)
            #expect(try await bed.replay.drop(first.eventID) == .dropped)
            let (shown, hashes) = try await (
                Self.shown(bed.bed), Self.hashes(["created-\(Self.person)"], bed.bed)
            )
            #expect(shown == hashes)
            let again = try await Self.send(body, bed.bed)
            #expect(again.eventID == first.eventID && again.status == .duplicate)
        }
    }
}
