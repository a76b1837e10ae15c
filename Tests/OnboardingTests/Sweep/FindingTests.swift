// SPDX-License-Identifier: Apache-2.0
// What a visit puts right is written down once, with its correction, however many visits find it again.

import Foundation
import Model
import Postgres
import Telnyx
import TestSupport
import Testing

@testable import Onboarding

@Suite struct FindingTests {
    private static func findings(_ bed: VisitBed) async throws -> [String] {
        try await bed.rows(
            """
            select concat_ws(' ', kind, tenant_id, user_id, generation, provider_id, tag) from dialtone.findings
            order by kind, provider_id
            """)
    }

    /// Two visits that list the tag, each with the walk that searches for the owners of strays.
    private static func sweepTwice(_ bed: VisitBed) async throws {
        for _ in 1...2 {
            try await bed.visit(isAsked: true)
            let strays = try await bed.database.pool.query(Stray.takeForWalk(limit: 9)).map(Stray.read)
            var report = SweepReport()
            _ = try await StrayOwners(sweep: bed.sweep()).settle(strays, isEverywhere: false, &report)
        }
    }

    /// Two visits that list the tag.
    private static func visitTwice(_ bed: VisitBed) async throws {
        for _ in 1...2 { try await bed.visit(isAsked: true) }
    }

    @Test func `a second credential is written once`() async throws {
        try await VisitBed.with(3) { bed in
            bed.provider.add(try bed.shown("second", of: 1), to: "acme")
            try await Self.visitTwice(bed)
            #expect(try await Self.findings(bed) == ["second acme user-1 1 second acme"])
        }
    }

    @Test func `a credential of a closed generation is no second one`() async throws {
        try await VisitBed.with(3) { bed in
            try await bed.database.admin.script(
                """
                delete from dialtone.credentials where user_id = 'user-1';
                update dialtone.users set wanted = 'gone', status = 'revoked' where user_id = 'user-1'
                """)
            try await Self.sweepTwice(bed)
            let found = try await Self.findings(bed)
            #expect(found == ["closed acme user-1 1 p-1 acme", "stray acme p-1 acme"])
        }
    }

    @Test func `a credential is missing once, and has returned once`() async throws {
        try await VisitBed.with(3) { bed in
            bed.provider.remove(ProviderID(rawValue: "p-2"))
            try await Self.visitTwice(bed)
            #expect(try await Self.findings(bed) == ["missing acme user-2 1 p-2 acme"])
            bed.provider.add(try bed.shown("p-2", of: 2), to: "acme")
            try await Self.visitTwice(bed)
            let kinds = try await bed.rows("select kind from dialtone.findings order by kind")
            #expect(kinds == ["missing", "returned"])
        }
    }

    @Test func `a credential that is gone and one that has expired are written with their next generation`()
        async throws
    {
        try await VisitBed.with(4) { bed in
            bed.provider.remove(ProviderID(rawValue: "p-2"))
            bed.provider.remove(ProviderID(rawValue: "p-3"))
            bed.provider.add(try bed.shown("p-3", of: 3, isExpired: true), to: "acme")
            try await bed.database.admin.script(
                "update dialtone.credentials set missing_since = now() - interval '1 hour' where user_id = 'user-2'")
            try await Self.visitTwice(bed)
            _ = try await bed.askForMissing()
            let found = try await Self.findings(bed)
            #expect(found == ["expired acme user-3 1 p-3 acme", "gone acme user-2 1 p-2 acme"])
            let users = try await bed.rows(
                "select user_id from dialtone.users where generation = 2 order by user_id")
            #expect(users == ["user-2", "user-3"])
        }
    }

    @Test func `an orphan is adopted once, and what a job in doubt would find is no finding`() async throws {
        try await VisitBed.with(5) { bed in
            try await bed.database.admin.script(
                """
                delete from dialtone.credentials where user_id in ('user-1', 'user-2', 'user-3');
                update dialtone.users set status = 'pending' where user_id in ('user-1', 'user-2', 'user-3')
                """)
            try await bed.database.insert(
                Ledger.job(of: try VisitBed.user(2), state: .inDoubt, isDoubtful: true),
                Ledger.job(of: try VisitBed.user(3), state: .queued))
            try await Self.sweepTwice(bed)
            let found = try await Self.findings(bed).filter { !$0.hasPrefix("stray") }
            #expect(found == ["adopted acme user-1 1 p-1 acme", "adopted acme user-3 1 p-3 acme"])
        }
    }

    @Test func `what was deleted and shows again is reopened`() async throws {
        try await VisitBed.with(3) { bed in
            try await bed.database.admin.script(
                """
                update dialtone.credentials set status = 'deleted', deleted_at = now() - interval '1 hour'
                where user_id = 'user-1';
                update dialtone.users set wanted = 'gone', status = 'revoked' where user_id = 'user-1';
                insert into dialtone.surplus (provider_id, tenant_id, user_id, generation, name, tag, deleted_at)
                values ('again', 'acme', 'user-2', 1, 'n', 'acme', now() - interval '1 hour')
                """)
            bed.provider.add(try bed.shown("again", of: 2), to: "acme")
            try await Self.visitTwice(bed)
            #expect(
                try await Self.findings(bed)
                    == ["reopened acme user-2 1 again acme", "reopened acme user-1 1 p-1 acme"])
        }
    }

    @Test func `a stray belongs to the tenant of its tag, and to nobody where no tag is known`() async throws {
        try await VisitBed.with(1) { bed in
            bed.provider.add(try bed.shown("stray", of: 77), to: "acme")
            try await Self.visitTwice(bed)
            _ = try await bed.database.pool.query(
                Stray.remember([Stray(id: ProviderID(rawValue: "walked"), name: "n", tag: nil)]))
            #expect(try await Self.findings(bed) == ["stray acme stray acme", "stray - walked"])
        }
    }

    @Test func `a dry run writes nothing down`() async throws {
        try await VisitBed.with(3) { bed in
            bed.provider.add(try bed.shown("second", of: 1), to: "acme")
            bed.provider.remove(ProviderID(rawValue: "p-2"))
            try await bed.visit(isAsked: true) { $0.isDryRun = true }
            #expect(try await Self.findings(bed).isEmpty)
        }
    }

    @Test func `a look writes down the second credential beside the one that it adopts`() async throws {
        try await JobRunBed.with { bed in
            try await bed.database.insert(Ledger.user())
            let provider = ScriptedProvider {
                $0.list = { _ in ["a", "b"].map { .shown($0, named: JobRunBed.name) } }
            }
            for _ in 1...2 { _ = try await bed.run(.looking(), on: provider) }
            let rows = try await bed.database.admin.query("select kind || ' ' || provider_id from dialtone.findings")
            let texts = try rows.map { row in try row.decode(String.self) }
            #expect(texts == ["second b"])
        }
    }

    @Test func `a credential that cannot be recorded is written down for its reason`() async throws {
        try await ArmedJob.with(2) { database, jobs in
            try await database.finish([jobs[0].evidence(id: "first")])
            try await database.finish([jobs[0].lateEvidence(id: "late")])
            try await database.admin.script(
                "update dialtone.users set wanted = 'gone', status = 'revoking' where user_id = 'user-2'")
            try await database.finish([jobs[1].lateEvidence(id: "unwanted")])
            let rows = try await database.admin.query(
                "select kind || ' ' || provider_id from dialtone.findings order by provider_id")
            let texts = try rows.map { row in try row.decode(String.self) }
            #expect(texts == ["second late", "closed unwanted"])
        }
    }
}
