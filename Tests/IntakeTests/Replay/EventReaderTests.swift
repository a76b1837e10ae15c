// SPDX-License-Identifier: Apache-2.0
// An operator looks at events: the newest first, each with its reason, and never a secret.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Intake

@Suite struct EventReaderTests {
    /// A preset that cannot name its secrets, and one that can.
    private static let picks = MappedIntakeTests.split.replacing(
        #""split""#, with: #""quarantine":"picks","split""#)
    private static let secrets = MappedIntakeTests.split.replacing(
        #""split""#, with: #""secret_members":["password","token"],"actor":"/token","split""#)

    @Test func `events are listed with the newest first, by source and by tenant`() async throws {
        try await ReplayBed.with(MappedIntakeTests.split) { bed in
            try await bed.map("o")
            let older = try await bed.send(MappedIntakeTests.event(1, "a"))
            let newer = try await bed.send(MappedIntakeTests.event(2, "b", org: "new"))
            let source = bed.bed.source.id
            let all = try await bed.reader.newest(of: nil, tenant: nil, limit: 10).entries
            #expect(Set(all.map(\.id)) == Set(older + newer) && all.map(\.id) == all.map(\.id).sorted(by: >))
            #expect(try await bed.reader.newest(of: source, tenant: nil, limit: 1).entries.count == 1)
            let acme = try await bed.reader.newest(of: source, tenant: TenantID("acme"), limit: 10).entries
            #expect(acme.map(\.id) == older && acme[0].source == "s" && acme[0].user == "a" && acme[0].reason == nil)
            let waiting = try await bed.reader.quarantined(of: nil, tenant: nil, limit: 10).entries
            #expect(waiting.map(\.id) == newer && waiting[0].reason == "unmapped" && waiting[0].organization == "new")
            #expect(waiting[0].outcome == .quarantined && waiting[0].tenant == nil)
            #expect(waiting[0].user == "b", "as the mapping has read it")
            #expect(try await bed.reader.quarantined(of: source, tenant: TenantID("acme"), limit: 10).entries.isEmpty)
        }
    }

    @Test func `a source whose events are older than a page looks through is found on a later page`() async throws {
        try await ReplayBed.with(MappedIntakeTests.split) { bed in
            let own = try await bed.send(MappedIntakeTests.event(1, "a"))
            let newer = try (1...3).map { number in
                EventID(rawValue: try #require(UUID(uuidString: "ffffffff-ffff-7fff-bfff-00000000000\(number)")))
            }
            try await bed.database.insert(
                newer.map { event -> SQL in
                    """
                    insert into dialtone.events (received_at, event_id, source_id, delivery_id, tenant_id, outcome)
                    values (now(), \(event), gen_random_uuid(), 'd', '-', 'ignored')
                    """
                })
            var reader = bed.reader
            reader.lookedThrough = 2
            let source = bed.bed.source.id
            let first = try await reader.newest(of: source, tenant: nil, limit: 9)
            #expect(first.entries.isEmpty && first.next == newer[1], "it has looked at the two newest")
            let second = try await reader.newest(of: source, tenant: nil, before: first.next, limit: 9)
            #expect(second.entries.map(\.id) == own && second.next == own[0])
            let last = try await reader.newest(of: source, tenant: nil, before: second.next, limit: 9)
            #expect(last.entries.isEmpty && last.next == nil)
            let full = try await reader.newest(of: nil, tenant: nil, limit: 1)
            #expect(full.entries.map(\.id) == [newer[2]] && full.next == newer[2], "no event is passed over")
        }
    }

    @Test func `one event tells its delivery, its secret's id, what it did elsewhere and what it is behind`()
        async throws
    {
        try await ReplayBed.with(EventReplayTests.people) { bed in
            try await bed.map("o")
            let joined = try await bed.send(MappedIntakeTests.event(1, "u"))
            let causes = try #require(try await bed.reader.show(joined[0]))
            #expect(causes.causes.map(\.wanted) == [.live] && causes.version == 1 && causes.quarantine == nil)
            let secrets = try await bed.bed.rows("select secret_id::text from dialtone.source_secrets")
            #expect(causes.secret?.lowercase == secrets.first)
            let deleted = try await bed.send(MappedIntakeTests.event(2, "u", type: "deleted"))
            let detail = try #require(try await bed.reader.show(deleted[0]))
            #expect(detail.effects.map(\.wanted) == [.gone] && detail.causes.map(\.wanted) == [.gone])
            #expect(detail.entry.tenant == nil && detail.entry.outcome == .accepted)
            #expect(detail.entry.tenants.map(\.rawValue) == ["acme"])
            #expect(try await bed.reader.show(EventID(at: Date())) == nil)
        }
    }

    @Test func `a preset that cannot name its secrets says that its events cannot be replayed`() async throws {
        try await ReplayBed.with(Self.picks) { bed in
            let event = try #require(try await bed.send(MappedIntakeTests.event(1, "u", org: "new")).first)
            let reason = "its preset cannot name its secrets, so its body was not kept; let its sender send it again"
            let detail = try #require(try await bed.reader.show(event)?.quarantine)
            #expect(!detail.hasBody && detail.hindrance == reason && detail.read.picks?["user_id"] == "u")
            #expect(detail.sha256.count == 64)
            try await bed.map("new")
            let report = try await bed.run(event)
            #expect(report.outcome == .impossible && report.reason == reason)
            #expect(try await bed.users().isEmpty)
        }
    }

    @Test func `an event whose time is over says so`() async throws {
        try await ReplayBed.with(MappedIntakeTests.split) { bed in
            let event = try #require(try await bed.send(MappedIntakeTests.event(1, "u", org: "new")).first)
            #expect(try await bed.reader.show(event)?.quarantine?.hindrance == nil)
            _ = try await bed.database.admin.query(
                "update dialtone.quarantine set settled_at = now(), settled_by = 'expired', sealed = null, picks = null"
            )
            let detail = try #require(try await bed.reader.show(event)?.quarantine)
            #expect(!detail.hasBody && detail.hindrance == "its time in quarantine is over, and its body is gone")
        }
    }

    @Test func `no secret of a body or a header is kept or shown`() async throws {
        try await ReplayBed.with(Self.secrets) { bed in
            let body = MappedIntakeTests.event(1, "u", org: "new").replacing(
                #""type""#, with: #""password":"canary-1","token":"canary-2","type""#)
            let event = try #require(try await bed.send(body).first)
            let secret = try #require(bed.bed.source.secret).reveal()
            var shown = "\(try await bed.reader.newest(of: nil, tenant: nil, limit: 9).entries)"
            shown += "\(try await bed.reader.quarantined(of: nil, tenant: nil, limit: 9).entries)"
            shown += "\(String(describing: try await bed.reader.show(event)))"
            let kept = try #require(try await bed.bodies().first)
            shown += String(decoding: kept.body, as: UTF8.self) + "\(kept.headers)"
            try await bed.map("new")
            shown += "\(try await bed.run(event, isDry: true))\(try await bed.run(event))"
            #expect(shown.contains("u") && !shown.contains("canary") && !shown.contains(secret))
            #expect(try await bed.users() == ["u live 1 1"], "the rest of the body was enough")
        }
    }

    private static func rows(of event: EventID) -> QuarantineRows {
        let note = QuarantineNote(
            event: event, deliveryID: "d", number: 0, item: 0, reason: .unmapped, span: .item, isStored: true)
        return QuarantineRows(
            source: SourceID(rawValue: UUID()), scope: "-", version: 1, receivedAt: Date(), secret: nil, size: 1,
            hash: Array(repeating: 0, count: 32), notes: [note], picks: ["{}"])
    }

    /// PostgreSQL has no text with NUL, and would refuse the whole list for one event.
    @Test func `a header that decodes to NUL is kept in quarantine, and every list can be read`() async throws {
        try await ReplayBed.with(#"{"grammar":1,"preset":"cloudevents","tenant":"table"}"#) { bed in
            let headers = [
                "content-type": "application/json", "ce-type": "user.created", "ce-id": "e-1", "ce-source": "urn:s",
                "ce-subject": "a%00b", "ce-tenantid": "o", "ce-time": "2027-01-15T07:59:00Z",
            ]
            let receipt = try await bed.send([], headers)
            #expect(receipt.status == .quarantined && receipt.answer?.status == 202)
            let waiting = try await bed.reader.quarantined(of: nil, tenant: nil, limit: 9).entries
            #expect(waiting.map(\.reason) == ["bad_text"] && waiting.map(\.place) == ["header ce-subject"])
            #expect(try await bed.reader.newest(of: nil, tenant: nil, limit: 9).entries.map(\.id) == [receipt.eventID])
            #expect(try await bed.reader.show(receipt.eventID)?.entry.reason == "bad_text")
        }
    }

    /// As a version before has stored them.
    @Test func `picks with NUL that were stored before hide no other event, and are shown for themselves`() async throws
    {
        try await ReplayBed.with(MappedIntakeTests.split) { bed in
            let old = try await bed.send(MappedIntakeTests.event(1, "a", org: "new"))
            let other = try await bed.send(MappedIntakeTests.event(2, "b", org: "new"))
            let picks: SQL = #"'{"user_id":"a\u0000b"}'::json"#
            _ = try await bed.database.admin.query(
                "update dialtone.quarantine set picks = \(picks) where event_id = \(old[0])")
            let waiting = try await bed.reader.quarantined(of: nil, tenant: nil, limit: 9).entries
            #expect(Set(waiting.map(\.id)) == Set(old + other) && waiting.compactMap(\.user) == ["b"])
            #expect(try await bed.reader.newest(of: nil, tenant: nil, limit: 9).entries.compactMap(\.user) == ["b"])
            let shown = try #require(try await bed.reader.show(old[0]))
            #expect(shown.entry.user == nil && shown.quarantine?.read.picks == ["user_id": "a\u{0}b"])
        }
    }

    @Test func `lists enter by key, whatever was known when they were planned`() async throws {
        try await TestDatabase.with { database in
            try await database.admin.script("vacuum analyze")
            let (source, event) = (SourceID(rawValue: UUID()), EventID(at: Date()))
            let keyed: [SQL] = [
                EventSelect.one(event), EventSelect.quarantined(of: source, tenant: nil, limit: 9),
                EventSelect.effects(of: event), OpenEvent.select(event),
                OpenEvent.page(of: source, tenant: nil, reason: nil, after: nil, limit: 9),
                ReplayEffect.changed(by: [event]),
                QuarantinedBody.lock(of: [event]), QuarantinedBody.handOn(from: [event]), QuarantinedBody.find(event),
                QuarantineStatement.bodies(of: [event], hash: []), QuarantineStatement.keepBody([], of: event),
                QuarantinedBody.end(settled: [event], by: .resend), Resend.heads(of: [source], ["d"]),
                QuarantineStatement.lock(Self.rows(of: event)), QuarantineStatement.keep(Self.rows(of: event)),
                TakenRow.select(DeliveryKey(source: source, id: "d"), place: NewWord.placeColumn),
                HiddenIDs.replace([MovedID(source: source, former: "d", now: "sha256:d", sent: "d")]),
            ]
            try await database.pool.withConnection { connection in
                for (place, statement) in keyed.enumerated() {
                    let plan = try await QueryPlan.generic(of: statement, on: connection)
                    #expect(plan.walkedTables.subtracting(["sources"]).isEmpty, "\(place): \(plan)")
                }
                let newest = try await QueryPlan.generic(
                    of: EventSelect.newest(of: source, tenant: nil, limit: 9), on: connection)
                #expect(newest.description.contains("events_pkey"), "\(newest)")
                #expect(
                    newest.description.contains("Backward") && !newest.description.contains("Seq Scan"), "\(newest)")
            }
        }
    }
}

extension EventID {
    fileprivate static func > (lhs: EventID, rhs: EventID) -> Bool { lhs.rawValue > rhs.rawValue }
}
