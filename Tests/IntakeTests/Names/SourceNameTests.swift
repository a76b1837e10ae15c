// SPDX-License-Identifier: Apache-2.0
// A source keeps names where an operator has said so: from the webhook to the table, for our own form and a preset.

import Foundation
import Model
import Postgres
import TestSupport
import Testing
import Vault

@testable import Intake

@Suite struct SourceNameTests {
    private static let noon = MappedCase.clock

    /// Sends a body signed as Standard Webhooks.
    private static func send(
        _ body: String, _ id: String, to source: NewSource, _ intake: Intake
    ) async throws -> Receipt {
        let stamp = Int64(Self.noon.timeIntervalSince1970)
        let key = try StandardWebhooksProof.key(from: try #require(source.secret).reveal())
        let signature = StandardWebhooksProof.sign(id: id, timestamp: stamp, body: Array(body.utf8), key: key)
        let headers = ["webhook-id": id, "webhook-timestamp": "\(stamp)", "webhook-signature": signature]
        return try await intake.receive(
            Delivery(
                hook: source.hookID, headers: { name in headers[name].map { [$0] } ?? [] }, body: Array(body.utf8),
                receivedAt: Self.noon))
    }

    private static func names(_ database: TestDatabase, _ vault: Vault) async throws -> [String] {
        try await NamesBed(database: database, vault: vault).names()
    }

    private static let body = """
        {"type":"user.created","data":[{"user_id":"u","name":"Ada","email":"ada@example.com"},
         {"user_id":"v","name":7,"email":"no address"},{"user_id":"w","name":"\\u0007"}]}
        """

    @Test(arguments: [false, true])
    func `the canonical form tells names to a source that keeps them`(keepsNames: Bool) async throws {
        try await SourceRegistryTests.withRegistry { registry, intake, database in
            let source = try await registry.create(
                slug: "s", tenant: testTenant, allowedTenants: [], keepsNames: keepsNames)
            let receipt = try await Self.send(Self.body, "d1", to: source, intake)
            #expect(receipt.items.map(\.status) == [.accepted, .accepted, .accepted])
            let kept = keepsNames ? ["u: Ada, ada@example.com"] : []
            #expect(try await Self.names(database, registry.vault) == kept)
            #expect(try await registry.list(tenant: testTenant).map(\.keepsNames) == [keepsNames])
        }
    }

    @Test func `Clerk's events name a member by name and address`() async throws {
        try await SourceRegistryTests.withRegistry { registry, intake, database in
            let folder = try SenderFolder("clerk")
            let key = "whsec_\(Data(repeating: 7, count: 32).base64EncodedString())"
            let source = try await registry.create(
                slug: "clerk", tenant: nil, allowedTenants: [], preset: "clerk", secret: Array(key.utf8),
                keepsNames: true)
            let made = NewSource(
                id: source.id, slug: "clerk", tenant: nil, hookID: source.hookID, secret: Secret(key), warning: nil,
                setup: nil)
            try await registry.map("org_2qAcmeMadeUp0000000000001", to: testTenant, slug: "clerk", tenant: nil)
            for (place, file) in ["user.created.json", "organizationMembership.created.json"].enumerated() {
                let receipt = try await Self.send(try folder.request(file), "d\(place)", to: made, intake)
                #expect(receipt.status == .accepted)
                #expect(try await Self.names(database, registry.vault).count == place)
            }
            let bed = NamesBed(database: database, vault: registry.vault)
            #expect(try await bed.names() == ["user_2qMadeUpMira00000000001: Mira Test, mira@example.com"])
            #expect(try await bed.users(with: "Mira@Example.com") == ["user_2qMadeUpMira00000000001"])
        }
    }

    @Test func `an update turns names on and off, each as a new version`() async throws {
        try await SourceRegistryTests.withRegistry { registry, _, _ in
            _ = try await registry.create(slug: "s", tenant: testTenant, allowedTenants: [], preset: "svix")
            for (isKept, version) in [(true, 2), (true, 2), (false, 3)] {
                let updated = try await registry.update(
                    slug: "s", tenant: testTenant, configuration: nil, allowedTenants: nil, keepsNames: isKept)
                #expect(updated.version == Int32(version))
                #expect(try await registry.list(tenant: testTenant).map(\.keepsNames) == [isKept])
            }
        }
    }

    @Test func `an event that was in quarantine tells its name when it is replayed`() async throws {
        let configuration = MappedIntakeTests.split.replacing(
            #""user_id":"/user""#, with: #""user_id":"/user","display_name":"/name","email":"/mail""#)
        try await ReplayBed.with(configuration) { bed in
            _ = try await bed.bed.registry.update(
                slug: "s", tenant: nil, configuration: nil, allowedTenants: nil, keepsNames: true)
            let event = MappedIntakeTests.event(1, "u").replacing(
                #"{"id""#, with: #"{"name":"Canary Name","mail":"canary@example.com","id""#)
            let ids = try await bed.send(event)
            let clear = try await bed.bed.rows(
                "select 'picks' from dialtone.quarantine q where q::text ~* 'canary'")
            #expect(clear == [])
            #expect(try await Self.names(bed.database, bed.bed.registry.vault) == [])
            try await bed.map("o")
            #expect(try await bed.run(ids[0], isDry: true).outcome == .replayed)
            #expect(try await Self.names(bed.database, bed.bed.registry.vault) == [])
            #expect(try await bed.run(ids[0]).outcome == .replayed)
            let names = try await Self.names(bed.database, bed.bed.registry.vault)
            #expect(names == ["u: Canary Name, canary@example.com"])
        }
    }
}
