// SPDX-License-Identifier: Apache-2.0
// A run of replays beside what changes meanwhile: its source, a body that does not open, an error, and other writers.

import Foundation
import Model
import Postgres
import TestSupport
import Testing
import Vault

@testable import Intake

@Suite struct ReplayRunTests {
    // MARK: The source

    @Test func `an event of a source that was deleted is not replayed, and its name is not shown for another's`()
        async throws
    {
        try await ReplayBed.with(MappedIntakeTests.split) { bed in
            let event = try #require(try await bed.send(EventReplayTests.event(1, "u")).first)
            try await bed.map("new")
            try await bed.database.insert(
                """
                insert into dialtone.tally (bucket, source_id, count, last_at, minutes, outcome, reason)
                values (now(), \(bed.bed.source.id), 1, now(), 1, 'refused', 'x')
                """)
            try await bed.bed.registry.delete(slug: "s", tenant: nil)
            let report = try await bed.run(event)
            #expect(report.outcome == .impossible && report.reason == "its source is not there any more")
            let detail = try #require(try await bed.reader.show(event))
            #expect(detail.quarantine?.hindrance == "its source is not there any more")
            #expect(detail.entry.source == nil)
            #expect(try await bed.users().isEmpty)
            let tallies = try await Tallies(pool: bed.bed.registry.pool).counts(of: [.refused], limit: 9, now: Date())
            #expect(tallies.map(\.source) == [.source(slug: bed.bed.source.id.rawValue.lowercase, tenant: nil)])
        }
    }

    @Test(arguments: [true, false])
    func `a source that is changed or deleted after it was read ends its replay`(isDeleted: Bool) async throws {
        try await ReplayBed.with(MappedIntakeTests.split) { bed in
            let event = try #require(try await bed.send(EventReplayTests.event(1, "u")).first)
            try await bed.map("new")
            let pool = bed.bed.registry.pool
            let open = try OpenEvent(try #require(try await pool.query(OpenEvent.select(event)).first))
            let source = try #require(try await ReplaySource.read(bed.bed.source.id, in: pool))
            let kept = try #require(try await bed.bodies().first)
            let request = kept.request(receivedAt: open.receivedAt, now: MappedIntakeTests.noon)
            let writing = ReplayWriting(
                event: open, source: source, reading: ReplayReading(open, request, by: source))
            if isDeleted {
                try await bed.bed.registry.delete(slug: "s", tenant: nil)
            } else {
                try await bed.mend(#""user_id":"/user""#, #""user_id":"/uid""#)
            }
            await #expect(throws: SourceError.changedMeanwhile("s")) { try await writing.run(in: pool, isDry: false) }
            #expect(try await bed.users().isEmpty)
            #expect(try await bed.quarantine() == ["unmapped body"])
        }
    }

    // MARK: A run

    @Test func `a run for one tenant leaves the events of all others`() async throws {
        try await ReplayBed.with(MappedIntakeTests.split) { bed in
            let events = try await bed.send(EventReplayTests.event(1, "a"), EventReplayTests.event(2, "b"))
            try await bed.map("new")
            _ = try await bed.database.admin.query(
                "update dialtone.events set tenant_id = 'acme' where event_id = \(events[1])")
            let acme = try TenantID("acme")
            let run = await bed.replay.replay(of: bed.bed.source.id, tenant: acme, reason: nil, isDry: false)
            #expect(run.failure == nil && run.reports.map(\.event) == [events[1]])
            #expect(try await bed.users() == ["b live 1 1"])
        }
    }

    @Test func `a body that does not open, or holds no request, is told, and the others are replayed`() async throws {
        try await ReplayBed.with(MappedIntakeTests.split) { bed in
            var events = try await bed.send(EventReplayTests.event(1, "a"))
            events += try await bed.send(EventReplayTests.event(2, "b"))
            events += try await bed.send(EventReplayTests.event(3, "c"))
            try await bed.map("new")
            let place = KeptRequest.place(events[1], of: bed.bed.source.id, "-")
            let wrong = try await bed.bed.registry.vault.seal(Secret("[]"), place)
            _ = try await bed.database.admin.query(
                "update dialtone.quarantine set sealed = decode('00', 'hex') where event_id = \(events[0])")
            _ = try await bed.database.admin.query(
                "update dialtone.quarantine set sealed = \(Bytes(wrong)) where event_id = \(events[1])")
            let reports = try await bed.runAll()
            #expect(reports.map(\.event) == events)
            #expect(reports.map(\.outcome) == [.impossible, .impossible, .replayed])
            #expect(reports.prefix(2).allSatisfy { $0.reason == "its body cannot be opened" })
            #expect(try await bed.users() == ["c live 1 1"])
        }
    }

    @Test func `an error ends a run, and what was done before it is told`() async throws {
        try await ReplayBed.with(MappedIntakeTests.split) { bed in
            let events = try await [bed.send(EventReplayTests.event(1, "a")), bed.send(EventReplayTests.event(2, "b"))]
            try await bed.map("new")
            try await bed.database.admin.script(
                """
                create function dialtone.fails() returns trigger language plpgsql as
                    $$ begin raise exception 'broken' using errcode = 'XX000'; end $$;
                create trigger fails before insert on dialtone.users for each row when (new.user_id = 'b')
                    execute function dialtone.fails();
                """)
            let run = await bed.replay.replay(of: bed.bed.source.id, reason: nil, isDry: false)
            #expect(run.reports.map(\.event) == events[0] && run.reports.map(\.outcome) == [.replayed])
            #expect((run.failure as? PostgresError)?.sqlState == "XX000")
            #expect(try await bed.users() == ["a live 1 1"])
        }
    }

    // MARK: Locks

    @Test func `the replay of a plain request locks all its users in key order before it writes`() async throws {
        let plain = MappedIntakeTests.split.replacing(#""tenant":"table""#, with: #""tenant":{"allow":["acme"]}"#)
        try await ReplayBed.with(plain) { bed in
            let known = ["a", "b"].enumerated().map {
                MappedIntakeTests.event($0.offset + 1, $0.element, org: "acme")
            }
            _ = try await bed.bed.send(#"{"events":[\#(known.joined(separator: ","))]}"#)
            let left = ["b", "a"].enumerated().map {
                MappedIntakeTests.event($0.offset + 11, $0.element, org: "acme", type: "left")
            }
            let receipt = try await bed.bed.send(#"{"items":[\#(left.joined(separator: ","))]}"#)
            try await bed.mend(#""split":"/events""#, #""split":"/items""#)
            let holder = try await PostgresConnection.connect(PostgresConfiguration(url: bed.database.url))
            try await holder.script("begin; select 1 from dialtone.users where user_id = 'a' for update")
            async let report = bed.run(receipt.eventID)
            try await bed.database.untilSomebodyWaitsForALock()
            let free = try await bed.bed.rows(
                "select user_id from dialtone.users where user_id = 'b' for update skip locked")
            #expect(free == ["b"], "who comes second in key order is not locked first")
            try await holder.script("commit")
            let outcome = try await report.outcome
            #expect(outcome == .replayed)
            await holder.close()
            #expect(try await bed.users() == ["a gone 1 1", "b gone 1 1"])
        }
    }

    @Test func `the lock of a plain replay's users enters by key`() async throws {
        try await TestDatabase.with { database in
            try await database.admin.script("vacuum analyze")
            let change = UserChange(
                user: UserKey(tenant: try TenantID("acme"), user: try UserID("u")), wanted: .gone, occurredAt: nil)
            let event = NewEvent(
                id: EventID(at: Date()), source: SourceID(rawValue: UUID()), deliveryID: "d", receivedAt: Date(),
                change: change)
            try await database.pool.withConnection { connection in
                let plan = try await QueryPlan.generic(of: ReplayWriting.users(of: [event]), on: connection)
                #expect(plan.walkedTables.isEmpty, "\(plan)")
            }
        }
    }
}
