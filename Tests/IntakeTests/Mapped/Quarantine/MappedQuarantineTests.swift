// SPDX-License-Identifier: Apache-2.0
// What cannot be used is kept in quarantine, spoils nothing else, and counts when it comes again and can be used.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Intake

extension MappedIntakeTests {
    @Test func `one bad event is kept, sealed, and spoils no other`() async throws {
        try await Self.with(Self.split) { bed in
            let bad = #"{"id":"bad","type":"joined","user":7.5,"org":"o","time":1}"#
            let receipt = try await bed.send(#"{"events":[\#(Self.event(1, "u")),\#(bad),{"type":"other"}]}"#)
            #expect(receipt.items.map(\.status) == [.accepted, .quarantined])
            let rows = try await bed.rows(
                """
                select concat_ws(' ', quarantine.reason, quarantine.pointer, picks ->> 'type', outcome,
                                 events.user_id is null, sealed is not null, octet_length(body_sha256),
                                 size > 100, quarantine.tenant_id)
                from dialtone.quarantine join dialtone.events using (event_id)
                """)
            #expect(rows == ["wrong_type /events/1/user joined quarantined t t 32 t -"])
            let again = try await bed.send(#"{"events":[\#(Self.event(1, "u")),\#(bad)]}"#)
            #expect(again.items.map(\.eventID) == receipt.items.map(\.eventID))
            #expect(again.items.map(\.status) == [.duplicate, .duplicate])
        }
    }

    @Test func `a source with 10,000 open rows in quarantine gets no more: the event is ignored, and no body is kept`()
        async throws
    {
        try await Self.with(Self.split) { bed in
            let count = Int64(QuarantineRoom.maximumOpen - 1)
            try await bed.database.insert(
                """
                insert into dialtone.quarantine (event_id, source_id, config_version, size, reason, tenant_id,
                                                 body_sha256)
                select gen_random_uuid(), \(bed.source.id), 1, 1, 'unmapped', '-', sha256('x')
                from generate_series(1, \(count))
                """)
            let bad = #"{"id":"bad","type":"joined","user":7.5,"org":"o","time":1}"#
            let worse = bad.replacing("bad", with: "worse")
            let receipt = try await bed.send(#"{"events":[\#(bad),\#(worse)]}"#)
            #expect(receipt.items.map(\.status) == [.quarantined, .ignored], "one fits")
            let full = try await bed.send(#"{"events":[\#(worse)]}"#)
            #expect(full.items.map(\.status) == [.ignored] && full.answer?.status == 200)
            let rows = try await bed.rows(
                "select concat_ws(' ', count(*), count(sealed)) from dialtone.quarantine")
            #expect(rows == ["10000 1"])
            let events = try await bed.rows("select sent_id from dialtone.events")
            #expect(events == ["bad"])
        }
    }

    @Test func `the body is kept although the first event is known, and again where its row lost it`() async throws {
        try await Self.with(Self.split) { bed in
            _ = try await bed.send(#"{"events":[\#(Self.event(1, "u"))]}"#)
            let known = #"{"id":"e1","type":"joined","user":7.5,"org":"o","time":1}"#
            let body = #"{"events":[\#(known),\#(known.replacing("e1", with: "new"))]}"#
            let receipt = try await bed.send(body)
            #expect(receipt.items.map(\.status) == [.duplicate, .quarantined])
            let kept: SQL = "select sealed::text from dialtone.quarantine where sealed is not null"
            let first = try await bed.rows(kept)
            #expect(first.count == 1)
            _ = try await bed.send(body)
            let second = try await bed.rows(kept)
            #expect(second == first, "it is there, and is not sealed again")
            _ = try await bed.database.admin.query("update dialtone.quarantine set sealed = null")
            _ = try await bed.send(body)
            let third = try await bed.rows(kept)
            #expect(third.count == 1)
        }
    }

    @Test func `what names an organisation without a tenant is kept, and its repetition takes it in once it has one`()
        async throws
    {
        try await Self.with(Self.split) { bed in
            let body = #"{"events":[\#(Self.event(1, "u", org: "new"))]}"#
            let receipt = try await bed.send(body)
            #expect(receipt.status == .quarantined && receipt.answer?.status == 202)
            let kept = try await bed.rows("select concat_ws(' ', reason, settled_by) from dialtone.quarantine")
            #expect(kept == ["unmapped"])
            try await bed.registry.map("new", to: TenantID("acme"), slug: "s", tenant: nil)
            let again = try await bed.send(body)
            #expect(again.eventID == receipt.eventID && again.status == .accepted)
            let settled = try await bed.rows(
                "select concat_ws(' ', reason, settled_by, sealed is null) from dialtone.quarantine")
            #expect(settled == ["unmapped resend t"])
            let users = try await bed.rows("select user_id from dialtone.users where wanted = 'live'")
            #expect(users == ["u"])
        }
    }

    /// A crash between the ledger's row and the note leaves such an event.
    @Test func `an event in quarantine without its note gets it when it comes again`() async throws {
        try await Self.with(Self.split) { bed in
            let body = #"{"events":[\#(Self.event(1, "u", org: "new"))]}"#
            let receipt = try await bed.send(body)
            _ = try await bed.database.admin.query("delete from dialtone.quarantine")
            for _ in 1...2 {
                let again = try await bed.send(body)
                #expect(again.eventID == receipt.eventID && again.status == .quarantined)
                #expect(again.answer?.status == 202)
                let kept = try await bed.rows(
                    "select concat_ws(' ', event_id, reason, settled_by, sealed is not null) from dialtone.quarantine")
                #expect(kept == ["\(receipt.eventID) unmapped t"])
            }
        }
    }

    /// A plain source settles it too.
    @Test func `what could not be read is settled when it comes again and can be read`() async throws {
        let plain = Self.split.replacing(#""tenant":"table""#, with: #""tenant":{"allow":["acme"]}"#)
        try await SourceRegistryTests.withRegistry { registry, intake, database in
            let source = try await registry.create(
                slug: "s", tenant: nil, allowedTenants: [], configuration: Array(plain.utf8))
            let bed = Bed(registry: registry, intake: intake, database: database, source: source)
            let bad = #"{"id":"e1","type":"joined","user":7.5,"org":"acme","time":1}"#
            let receipt = try await bed.send(#"{"events":[\#(bad)]}"#)
            #expect(receipt.status == .quarantined)
            let good = #"{"events":[\#(Self.event(1, "u", org: "acme"))]}"#
            let again = try await bed.send(good)
            #expect(again.eventID == receipt.eventID && again.status == .accepted)
            let known = try await bed.send(good)
            #expect(known.eventID == receipt.eventID && known.status == .duplicate)
            let settled = try await bed.rows(
                """
                select concat_ws(' ', users.user_id, users.wanted, outcome, settled_by, sealed is null)
                from dialtone.quarantine join dialtone.events using (event_id) join dialtone.users using (user_id)
                """)
            #expect(settled == ["u live accepted resend t"])
        }
    }
}
