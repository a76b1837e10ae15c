// SPDX-License-Identifier: Apache-2.0
// A visit counts, and lists for a reason.

import Foundation
import Lifecycle
import Model
import Postgres
import Telnyx
import TestSupport
import Testing

@testable import Onboarding

@Suite struct TagVisitTests {
    @Test func `a tag whose count agrees costs one call of one credential`() async throws {
        try await VisitBed.with(300) { bed in
            let outcome = try await bed.visit().outcome
            #expect(outcome == .agreed)
            #expect(bed.provider.lists == [.init(tag: "acme", pageSize: 1)] && bed.provider.calls == 1)
            #expect(try await (3500...3700).contains(bed.pause()))
        }
    }

    @Test func `a count that differs lists the tag at once`() async throws {
        try await VisitBed.with(3) { bed in
            bed.provider.add(try bed.shown("second", of: 1), to: "acme")
            let (outcome, report) = try await bed.visit()
            #expect(outcome.list != nil && report.surplus == 1 && report.listed == 4)
            #expect(try await bed.rows("select provider_id from dialtone.surplus") == ["second"])
            #expect(try await bed.visit().outcome == .notQuiet, "a list may not show yet what has just been found")
            try await bed.database.admin.script("update dialtone.surplus set found_at = now() - interval '1 hour'")
            #expect(try await bed.visit().outcome == .agreed, "the ledger expects it until it is deleted")
        }
    }

    /// A second credential that takes the place of one that was deleted leaves the total as it was.
    @Test func `a sample that nobody knows lists the tag at once`() async throws {
        try await VisitBed.with(1) { bed in
            bed.provider.remove(ProviderID(rawValue: "p-1"))
            bed.provider.add(try bed.shown("another", of: 1), to: "acme")
            #expect(try await bed.visit().report.listed == 1)
            #expect(try await bed.rows("select provider_id from dialtone.surplus") == ["another"])
        }
    }

    @Test func `foreign credentials are counted once and then expected`() async throws {
        try await VisitBed.with(2) { bed in
            bed.provider.add(.shown("foreign", named: "somebody else's"), to: "acme")
            let report = try await bed.visit().report
            #expect(report.foreign == 1)
            #expect(try await bed.visit().outcome == .agreed)
            #expect(try await bed.rows("select others || ' ' || held from dialtone.tenant_tags") == ["1 3"])
        }
    }

    /// Each case keeps the tag from being quiet.
    @Test(arguments: [
        "update dialtone.credentials set created_at = now() where user_id = 'user-1'",
        "update dialtone.tenant_tags set changed_at = now()",
        """
        insert into dialtone.jobs (id, tenant_id, user_id, generation, place, run_at, enqueued_at, state, worker,
                                   lease_until, tag)
        values (gen_random_uuid(), 'acme', 'user-9', 1, 1, now(), now(), 'armed', gen_random_uuid(), now(), 'acme')
        """,
        """
        insert into dialtone.jobs (id, tenant_id, user_id, generation, place, run_at, enqueued_at, state, in_doubt,
                                   quiet_until, tag)
        values (gen_random_uuid(), 'acme', 'user-9', 1, 1, now(), now(), 'in_doubt', true, now() + interval '1 hour',
                'acme')
        """,
    ]) func `a tag that is not quiet is left alone for an hour, then listed`(_ trouble: String) async throws {
        try await VisitBed.with(2) { bed in
            try await bed.database.admin.script(trouble)
            #expect(try await bed.visit().outcome == .notQuiet)
            #expect(bed.provider.calls == 0)
            #expect(try await (590...610).contains(bed.pause()))
            try await bed.database.admin.script(
                "update dialtone.tenant_tags set busy_since = busy_since - interval '61 minutes'")
            #expect(try await bed.visit().report.listed == 2)
            #expect(try await bed.visit().outcome == .notQuiet, "the next hour begins")
        }
    }

    @Test func `a doubtful job that only waits leaves its tag quiet`() async throws {
        try await VisitBed.with(2) { bed in
            try await bed.database.insert(
                Ledger.job(of: try VisitBed.user(1), state: .inDoubt, isDoubtful: true, tag: "acme"))
            #expect(try await bed.visit().outcome == .agreed)
        }
    }

    /// The finish commits while the count is under way.
    @Test func `what became known during a count makes it no difference`() async throws {
        try await VisitBed.with(2) { bed in
            bed.provider.add(try bed.shown("p-3", of: 3), to: "acme")
            bed.provider.change { [database = bed.database] in
                $0.beforeAnswer = {
                    try? await database.admin.script(
                        """
                        insert into dialtone.credentials (tenant_id, user_id, generation, provider_id, name, tag,
                                                          status, sealed_username, sealed_password, username_index)
                        values ('acme', 'user-3', 1, 'p-3', 'n', 'acme', 'active', '', '',
                                decode(repeat('00', 16), 'hex'))
                        """)
                }
            }
            #expect(try await bed.visit().outcome == .notQuiet)
            #expect(bed.provider.calls == 1)
        }
    }

    @Test func `a tag is listed once a week although its counts agree`() async throws {
        try await VisitBed.with(2) { bed in
            try await bed.database.admin.script(
                "update dialtone.tenant_tags set listed_at = now() - interval '169 hours'")
            #expect(try await bed.visit().report.listed == 2)
            #expect(try await bed.visit().outcome == .agreed)
        }
    }

    @Test func `a tag that a claim waits for is listed first of all`() async throws {
        try await VisitBed.with(2) { bed in
            try await bed.database.admin.script(
                """
                insert into dialtone.tenant_tags (tenant_id, shard, tag, opened, due_at)
                values ('acme', 2, 'acme.2', 1, '-infinity'), ('acme', 3, 'acme.3', 2, now() + interval '1 hour')
                """)
            let taken = try await bed.database.pool.query(DueTag.take(interval: .seconds(3600))).map(DueTag.read)
            #expect(taken.map(\.shard) == [2] && taken.map(\.isWanted) == [true])
            #expect(taken.map(\.isHighest) == [false])
            let again = try await bed.database.pool.query(DueTag.take(interval: .seconds(3600)))
            #expect(again.isEmpty, "they are taken for two minutes")
        }
    }

    /// A word may come between the plan of the visit and its correction, which then changes nothing.
    @Test func `a visit that corrects a generation gives no trust, and the next one does`() async throws {
        try await VisitBed.with(3) { bed in
            let name = bed.names.name(for: try VisitBed.user(1), generation: 2)
            try await bed.database.insert(
                """
                insert into dialtone.credentials (tenant_id, user_id, generation, provider_id, name, tag, status,
                                                  sealed_username, sealed_password, username_index, created_at, deleted_at)
                values (\(testTenant), 'user-1', 2, 'former', \(name), 'acme', 'deleted', '', '',
                        decode(repeat('00', 16), 'hex'), now() - interval '1 day', now() - interval '1 hour')
                """)
            bed.provider.add(try bed.shown("later", of: 1, generation: 2), to: "acme")
            try await bed.changeEra()
            let (_, report) = try await bed.visit(isAsked: true)
            #expect(report.evidence == 1)
            let generation = try await bed.rows(
                "select generation::text from dialtone.users where user_id = 'user-1'")
            #expect(generation == ["2"])
            #expect(try await !bed.isTenantSeen())
            try await bed.database.admin.script("delete from dialtone.jobs")
            try await bed.visit(isAsked: true)
            #expect(try await bed.isTenantSeen())
        }
    }

    @Test func `many tags stretch the time between two visits`() async throws {
        try await VisitBed.with { bed in
            try await bed.database.admin.script(
                """
                insert into dialtone.tenant_tags (tenant_id, shard, tag, opened)
                select 'acme', n, 'acme.' || n, n from generate_series(2, 1000) n
                """)
            let tag = DueTag.one(testTenant, 1, interval: .seconds(3600))
            #expect(try await bed.database.pool.query(tag).map(DueTag.read).map(\.period) == [.seconds(10_000)])
            try await bed.database.admin.script("update dialtone.account_walk set pages = 399")
            #expect(try await bed.database.pool.query(tag).map(DueTag.read).map(\.period) == [.seconds(20_000)])
        }
    }
}
