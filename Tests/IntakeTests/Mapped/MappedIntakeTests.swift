// SPDX-License-Identifier: Apache-2.0
// Requests of senders with a mapping: many deliveries in one, large ones, and what cannot be used.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Intake

@Suite struct MappedIntakeTests {
    static let noon = Date(timeIntervalSince1970: 1_800_000_000)

    static let rules = #""rules":[{"on":"joined","membership":"live"},{"on":"left","membership":"gone"}]"#

    /// Several events in one request.
    static let split = """
        {"grammar":1,"tenant":"table","proofs":[{"kind":"bearer"}],"split":"/events","type":"/type","delivery_id":"/id",
         "user_id":"/user","organization":"/org","time":{"at":"/time","as":"seconds"},\(Self.rules)}
        """

    /// Several people in one event.
    static let each = """
        {"grammar":1,"tenant":"table","proofs":[{"kind":"bearer"}],"type":"/type","delivery_id":"/id","user_id":".",
         "organization":"/org","rules":[{"on":"joined","each":"/users","membership":"live"}]}
        """

    struct Bed {
        let registry: SourceRegistry
        let intake: Intake
        let database: TestDatabase
        let source: NewSource

        func send(_ body: String, at now: Date = MappedIntakeTests.noon) async throws -> Receipt {
            let authorization = "Bearer \(try #require(self.source.secret).reveal())"
            return try await self.intake.receive(
                Delivery(
                    hook: self.source.hookID, headers: { $0 == "authorization" ? [authorization] : [] },
                    body: Array(body.utf8), receivedAt: now))
        }

        /// Gives the source another mapping. A node learns of it within seconds.
        func change(_ configuration: String) async throws {
            _ = try await self.database.admin.query(
                """
                update dialtone.sources set config = \(configuration)::json, config_version = config_version + 1
                where source_id = \(self.source.id)
                """)
        }

        func rows(_ statement: SQL) async throws -> [String] {
            try await self.database.admin.query(statement).map { try $0.decode(String.self) }
        }
    }

    /// Lends a source whose organisation `o` is the tenant `acme`. A plain source maps none.
    static func with(
        _ configuration: String, maps: Bool = true, owner: TenantID? = nil, _ work: (Bed) async throws -> Void
    ) async throws {
        try await SourceRegistryTests.withRegistry { registry, intake, database in
            let source = try await registry.create(
                slug: "s", tenant: owner, allowedTenants: [], configuration: Array(configuration.utf8))
            if maps { try await registry.map("o", to: TenantID("acme"), slug: "s", tenant: owner) }
            try await work(Bed(registry: registry, intake: intake, database: database, source: source))
        }
    }

    static func event(_ number: Int, _ user: String, org: String = "o", type: String = "joined") -> String {
        let time = Int(Self.noon.timeIntervalSince1970) - 1000 + number
        return #"{"id":"e\#(number)","type":"\#(type)","user":"\#(user)","org":"\#(org)","time":\#(time)}"#
    }

    @Test func `forty events on one person come in one request, and again as known ones`() async throws {
        try await Self.with(Self.split) { bed in
            let events = (0..<40).map { Self.event($0, "u", type: $0 % 2 == 0 ? "joined" : "left") }
            let body = #"{"events":[\#(events.joined(separator: ","))]}"#
            let first = try await bed.send(body)
            #expect(first.items.count == 40 && first.status == .accepted && first.answer?.status == 202)
            let again = try await bed.send(body)
            #expect(again.items.map(\.eventID) == first.items.map(\.eventID))
            #expect(again.items.allSatisfy { $0.status == .duplicate } && again.answer?.status == 200)
            let wanted = try await bed.rows("select wanted from dialtone.users")
            #expect(wanted == ["gone"])
        }
    }

    @Test func `a delivery of 2,500 people is stored in parts, with its first item in the last one`() async throws {
        try await Self.with(Self.each) { bed in
            let users = (0..<2500).map { "\"u\($0)\"" }.joined(separator: ",")
            let body = #"{"id":"d","type":"joined","org":"o","users":[\#(users)]}"#
            let receipt = try await bed.send(body)
            #expect(receipt.items.count == 2500 && receipt.items.allSatisfy { $0.status == .accepted })
            let order = try await bed.rows(
                """
                select string_agg(item::text, ' ' order by xmin::text::bigint, item)
                from dialtone.events where item in (0, 1, 2499) and outcome = 'accepted'
                """)
            #expect(order == ["1 0 2499"])
            let first = try await bed.rows("select event_id::text from dialtone.events where item = 0")
            #expect(first == [receipt.eventID.description])
            let again = try await bed.send(body)
            #expect(again.items.map(\.eventID) == receipt.items.map(\.eventID))
        }
    }

    /// The sign-up's time is ahead of the node's clock, as a sender's may be.
    @Test func `a deletion with a time that cannot be used ends a user whose own time is ahead`() throws {
        let person = try UserID("u")
        let tenant = try TenantID("acme")
        func change(_ said: Word.OfPerson, _ moment: Word.Moment) -> UserChange? {
            Word(
                person: person, ofPerson: said, organization: nil, ofMembership: nil, tenant: tenant, moment: moment,
                isWeak: false, isWhole: false
            ).change(receivedAt: Self.noon)
        }
        for said in [Word.OfPerson.deleted, .suspended] {
            let gone = try #require(change(said, .arrival))
            #expect(gone.wanted == .gone && gone.occurredAt == nil, "a revoke without a time always stands")
            #expect(change(said, .at(Self.noon + 60))?.occurredAt == Self.noon + 60)
        }
        #expect(change(.live, .arrival)?.occurredAt == Self.noon)
    }

    @Test func `without its keys a sender is told to come again, and nothing is stored`() async throws {
        let proof = """
            {"kind":"jwt","header":"authorization","scheme":"Bearer","algorithms":["RS256"],
             "jwks":"https://keys.example.com/jwks","issuer":"https://id.example.com","body_hash":{"claim":"h","encoding":"hex"}}
            """
        try await SourceRegistryTests.withRegistry { registry, intake, database in
            let source = try await registry.create(
                slug: "s", tenant: nil, allowedTenants: [],
                configuration: Array(Self.split.replacing(#"{"kind":"bearer"}"#, with: proof).utf8))
            #expect(source.secret == nil, "published keys need none")
            let delivery = Delivery(
                hook: source.hookID,
                headers: { $0 == "authorization" ? ["Bearer eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.e30.AAAA"] : [] },
                body: Array("{}".utf8), receivedAt: Self.noon)
            await #expect(throws: IntakeError.keysUnavailable) { try await intake.receive(delivery) }
            #expect(intake.knownHook(source.hookID, now: Self.noon) == nil, "it may have to wait")
            let stored = try await database.admin.query("select 1 from dialtone.events")
            #expect(stored.isEmpty)
        }
    }
}
