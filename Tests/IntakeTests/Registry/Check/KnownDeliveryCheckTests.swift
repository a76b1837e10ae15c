// SPDX-License-Identifier: Apache-2.0
// A check of a delivery that came before says what the service does when the same bytes come again.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Intake

extension SourceCheckTests {
    typealias Bed = MappedIntakeTests.Bed

    /// Of a tracked source and of a plain one.
    private static let kinds = [(tenant: #""table""#, org: "o"), (tenant: #"{"allow":["acme"]}"#, org: "acme")]

    /// Reads the people of one list of the body. A later mapping reads another list.
    private static func reading(_ list: String, _ kind: (tenant: String, org: String)) -> String {
        MappedIntakeTests.each.replacing(#""each":"/users""#, with: #""each":"/\#(list)""#)
            .replacing(#""tenant":"table""#, with: #""tenant":\#(kind.tenant)"#)
    }

    private static func body(_ lists: String, _ kind: (tenant: String, org: String)) -> String {
        #"{"id":"d","type":"joined","org":"\#(kind.org)",\#(lists)}"#
    }

    /// Checks a body, sends it, and expects that the check has said what came of it.
    private static func check(
        andSend body: String, _ bed: Bed, is decision: SourceCheck.Decision, _ statuses: [EventOutcome]
    ) async throws -> SourceCheck {
        let later = MappedIntakeTests.noon + 60
        let secret = try #require(bed.source.secret).reveal()
        let check = try await bed.registry.check(
            Array(body.utf8), headers: [("Authorization", "Bearer \(secret)")], slug: "s", tenant: nil, now: later)
        #expect(check.refusal == nil && check.decision == decision, "\(check)")
        let before = Set(try await Self.users(bed))
        let receipt = try await bed.send(body, at: later)
        #expect(receipt.items.map(\.status) == statuses)
        let changed = Set(try await Self.users(bed)).subtracting(before)
        #expect(Set(check.changes.map { "\($0.user.tenant) \($0.user.user) \($0.wanted)" }) == changed, "\(check)")
        return check
    }

    private static func users(_ bed: Bed) async throws -> [String] {
        try await bed.rows("select concat_ws(' ', tenant_id, user_id, wanted) from dialtone.users")
    }

    @Test(arguments: Self.kinds)
    func `a word that only a later mapping reads of a known delivery would be kept, as the check says`(
        _ kind: (tenant: String, org: String)
    ) async throws {
        try await MappedIntakeTests.with(Self.reading("users", kind), maps: kind.org == "o") { bed in
            let body = Self.body(#""users":["a"],"all":["a","b"]"#, kind)
            #expect(try await bed.send(body).items.map(\.status) == [.accepted])
            try await bed.change(Self.reading("all", kind))
            let check = try await Self.check(andSend: body, bed, is: .quarantined, [.duplicate, .quarantined])
            #expect(check.items.first?.text.contains(": duplicate") == true, "\(check.items)")
            #expect(check.items.last?.text.hasSuffix("came first without this word") == true, "\(check.items)")
        }
    }

    @Test(arguments: Self.kinds)
    func `a delivery that waits as a whole would be taken in as a whole, as the check says`(
        _ kind: (tenant: String, org: String)
    ) async throws {
        try await MappedIntakeTests.with(Self.reading("users", kind), maps: kind.org == "o") { bed in
            let body = Self.body(#""users":[7.5],"all":["u0","u1"]"#, kind)
            #expect(try await bed.send(body).items.map(\.status) == [.quarantined])
            try await bed.change(Self.reading("all", kind))
            let check = try await Self.check(andSend: body, bed, is: .stored, [.accepted, .accepted])
            #expect(check.items.count == 2 && check.items.allSatisfy { $0.text.contains(": accepted") })
            #expect(check.changes.count == 2)
        }
    }

    @Test(arguments: Self.kinds)
    func `a delivery whose items a later mapping numbers in another way would be kept, as the check says`(
        _ kind: (tenant: String, org: String)
    ) async throws {
        try await MappedIntakeTests.with(Self.reading("users", kind), maps: kind.org == "o") { bed in
            let body = Self.body(#""users":[7.5,8.5],"all":["u0","u1","u2"]"#, kind)
            #expect(try await bed.send(body).items.map(\.status) == [.quarantined, .quarantined])
            try await bed.change(Self.reading("all", kind))
            // The service keeps the delivery as one.
            let check = try await Self.check(andSend: body, bed, is: .quarantined, [.quarantined])
            #expect(check.items.count == 3 && check.items.allSatisfy { $0.text.contains("quarantined: another event") })
        }
    }

    @Test func `a canonical delivery under an id that was used before would be refused, as the check says`()
        async throws
    {
        try await SourceRegistryTests.withRegistry { registry, intake, _ in
            let acme = try TenantID("acme")
            let source = try await registry.create(slug: "app", tenant: acme, allowedTenants: [])
            let key = try StandardWebhooksProof.key(from: try #require(source.secret).reveal())
            let stamp = Int64(MappedIntakeTests.noon.timeIntervalSince1970)
            func signed(_ body: [UInt8]) -> [String: String] {
                let signature = StandardWebhooksProof.sign(id: "d", timestamp: stamp, body: body, key: key)
                return ["webhook-id": "d", "webhook-timestamp": "\(stamp)", "webhook-signature": signature]
            }
            func send(_ body: [UInt8]) async throws -> Receipt {
                let headers = signed(body)
                return try await intake.receive(
                    Delivery(
                        hook: source.hookID, headers: { name in headers[name].map { [$0] } ?? [] }, body: body,
                        receivedAt: MappedIntakeTests.noon))
            }
            #expect(try await send(Array(#"{"type":"user.created","data":{"user_id":"u1"}}"#.utf8)).status == .accepted)
            let more = Array(#"{"type":"user.created","data":[{"user_id":"u1"},{"user_id":"u2"}]}"#.utf8)
            let check = try await registry.check(
                more, headers: signed(more).map { ($0.key, $0.value) }, slug: "app", tenant: acme,
                now: MappedIntakeTests.noon)
            #expect(check.refusal == nil && check.decision == .refused && check.changes.isEmpty, "\(check)")
            #expect(check.items.last?.text.hasPrefix("provision u2 in acme: refused: another event") == true)
            await #expect(throws: IntakeError.deliveryReused) { _ = try await send(more) }
        }
    }
}
