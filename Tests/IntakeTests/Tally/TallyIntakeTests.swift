// SPDX-License-Identifier: Apache-2.0
// Intake counts what is ignored and what quarantine has no room for, and touches no count for what it stores.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Intake

@Suite struct TallyIntakeTests {
    private typealias Mapped = MappedIntakeTests

    /// What is counted, once intake has written it.
    private static func counts(_ bed: MappedIntakeTests.Bed) async throws -> [String] {
        await bed.intake.tally.write(now: Mapped.noon)
        return try await bed.rows(
            """
            select concat_ws(' ', source_id = \(bed.source.id), minutes, outcome, reason, count) from dialtone.tally
            order by outcome, reason
            """)
    }

    @Test func `what is stored or kept is counted nowhere`() async throws {
        try await Mapped.with(Mapped.split) { bed in
            let good = #"{"events":[\#(Mapped.event(1, "u")),\#(Mapped.event(2, "v", org: "new"))]}"#
            for _ in 1...2 { _ = try await bed.send(good) }
            #expect(bed.intake.tally.waiting == (0, 0))
        }
    }

    @Test func `ignored items are counted by their sender's type, also beside others`() async throws {
        try await Mapped.with(Mapped.split) { bed in
            let other = #"{"id":"o","type":"session.created","user":"u","org":"o","time":1}"#
            let untold = #"{"id":"n","user":"u","org":"o","time":1}"#
            let receipt = try await bed.send(#"{"events":[\#(other),\#(Mapped.event(1, "u")),\#(other),\#(untold)]}"#)
            #expect(receipt.status == .accepted)
            _ = try await bed.send(#"{"events":[\#(other)]}"#)
            let counts = try await Self.counts(bed)
            #expect(counts == ["t 1 ignored session.created 3", "t 1 ignored unrelated 1"])
            let samples = try await bed.rows("select concat_ws(' ', outcome, reason) from dialtone.samples")
            #expect(samples == ["ignored session.created"], "one a minute")
        }
    }

    @Test func `the canonical event's other types are counted too`() async throws {
        try await SourceRegistryTests.withRegistry { registry, intake, database in
            let source = try await registry.create(slug: "s", tenant: testTenant, allowedTenants: [])
            let key = try StandardWebhooksProof.key(from: try #require(source.secret).reveal())
            let stamp = Int64(Mapped.noon.timeIntervalSince1970)
            for (id, body) in [(1, #"{"type":"session.created"}"#), (2, "{}"), (3, #"{"type":""}"#)] {
                let signature = StandardWebhooksProof.sign(
                    id: "\(id)", timestamp: stamp, body: Array(body.utf8), key: key)
                let headers = [
                    "webhook-id": "\(id)", "webhook-timestamp": "\(stamp)", "webhook-signature": signature,
                ]
                let receipt = try await intake.receive(
                    Delivery(
                        hook: source.hookID, headers: { headers[$0].map { [$0] } ?? [] }, body: Array(body.utf8),
                        receivedAt: Mapped.noon,
                        lengths: { headers.map { HeaderLength(name: $0.key, bytes: $0.value.utf8.count) } }))
                #expect(receipt.status == .ignored)
            }
            let bed = Mapped.Bed(registry: registry, intake: intake, database: database, source: source)
            let counts = try await Self.counts(bed)
            #expect(counts == ["t 1 ignored session.created 1", "t 1 ignored unrelated 2"])
            let forms = try await bed.rows("select form ->> 'body' from dialtone.samples")
            #expect(forms == ["26"])
        }
    }

    @Test func `events for which quarantine has no room are counted by why they came there`() async throws {
        try await Mapped.with(Mapped.split) { bed in
            let count = Int64(QuarantineRoom.maximumOpen - 1)
            try await bed.database.insert(
                """
                insert into dialtone.quarantine (event_id, source_id, config_version, size, reason, tenant_id,
                                                 body_sha256)
                select gen_random_uuid(), \(bed.source.id), 1, 1, 'unmapped', '-', sha256('x')
                from generate_series(1, \(count))
                """)
            let bad = (1...3).map { #"{"id":"bad-\#($0)","type":"joined","user":7.5,"org":"o","time":1}"# }
            let receipt = try await bed.send(#"{"events":[\#(bad.joined(separator: ","))]}"#)
            #expect(receipt.items.map(\.status) == [.quarantined, .ignored, .ignored])
            let counts = try await Self.counts(bed)
            #expect(counts == ["t 1 not_kept wrong_type 2"])
        }
    }

    @Test func `what a process has counted is written when it ends`() async throws {
        try await Mapped.with(Mapped.split) { bed in
            let intake = bed.intake
            let other = #"{"id":"o","type":"session.created","user":"u","org":"o","time":1}"#
            _ = try await bed.send(#"{"events":[\#(other)]}"#)
            // A task of its own, as the process has one, so that it can be cancelled.
            let running = Task { await intake.run() }
            running.cancel()
            await running.value
            let counts = try await bed.rows("select concat_ws(' ', outcome, reason, count) from dialtone.tally")
            #expect(counts == ["ignored session.created 1"])
        }
    }
}
