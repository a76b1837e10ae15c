// SPDX-License-Identifier: Apache-2.0
// Each tag has its own faults: what fails costs one tag a visit, and never the whole.

import Foundation
import Lifecycle
import Model
import Postgres
import ProviderLimits
import TestSupport
import Testing

@testable import Onboarding

@Suite struct VisitLoopTests {
    @Test func `a big tenant is seen although every 50th list fails`() async throws {
        try await VisitBed.with(1) { bed in
            try await bed.database.admin.script(
                """
                insert into dialtone.tenant_tags (tenant_id, shard, tag, opened)
                select 'acme', n, 'acme.' || n, n from generate_series(2, 150) n
                """)
            try await bed.changeEra()
            bed.provider.change { $0.failsEvery = 50 }
            var (visits, failures) = (0, 0)
            while try await !bed.isTenantSeen() {
                try #require(visits < 300)
                let outcomes = try await Self.visitDueTags(bed)
                visits += outcomes.count
                failures += outcomes.count { $0 == .failed }
                // Time passes until the failed ones are due again. Those that were seen are not.
                if outcomes.isEmpty {
                    try await bed.database.admin.script(
                        "update dialtone.tenant_tags set due_at = now() where due_at < now() + interval '3 minutes'")
                }
            }
            #expect(failures >= 3 && visits == 150 + failures, "a fault costs one more visit of its tag")
        }
    }

    /// A list that began before the change says nothing of what came after it.
    @Test func `a visit that began before a new era leaves its tag unseen and due`() async throws {
        try await VisitBed.with(1) { bed in
            bed.provider.change { [database = bed.database] in
                $0.beforeAnswer = {
                    try? await database.admin.script("update dialtone.incarnation set era = era + 1")
                }
            }
            let outcome = try await bed.visit(isAsked: true).outcome
            #expect(outcome.list != nil)
            #expect(try await !bed.isTenantSeen())
            #expect(try await bed.pause() < 120, "the quiet time, and no period")
            #expect(try await bed.visit().outcome.list != nil)
        }
    }

    @Test func `a tenant without tags gets its first one`() async throws {
        try await VisitBed.with { bed in
            try await bed.database.insert(Ledger.tenant(try TenantID("beta"), connection: "2"))
            _ = try await bed.database.pool.query(DueTag.first(of: nil))
            #expect(
                try await bed.rows(
                    "select tag || ' ' || coalesce(opened::text, '-') from dialtone.tenant_tags order by 1")
                    == ["acme 0", "beta -"])
            try await bed.database.commit(TagShards.openNext(for: try TenantID("beta"), capacity: 980))
            #expect(
                try await bed.rows(
                    "select tag || ' ' || coalesce(opened::text, '-') from dialtone.tenant_tags order by 1")
                    == ["acme 0", "beta 0"])
        }
    }

    @Test func `three visits in a row without a witness are followed by a rest that says why`() async throws {
        try await VisitBed.with(1) { bed in
            let worker = try WorkerBed.worker(
                on: ScriptedProvider { _ in }, bed.database.pool, installation: bed.names.id)
            let row = try await bed.database.pool.query(DueTag.one(testTenant, 1, interval: .seconds(3600))).first
            let tag = try DueTag.read(#require(row))
            let rests: SQL = """
                select scope || ' ' || coalesce(reason, '-') from dialtone.provider_limits
                where paused_until > now() + interval '9 minutes'
                """
            for isRest in [false, false, true] {
                await worker.note(.unproven, of: tag)
                #expect(try await bed.rows(rests) == (isRest ? ["kind:sweep no witness"] : []))
            }
            await worker.provider.limits.pause(.sweep, for: .seconds(900))
            #expect(try await bed.rows(rests) == ["kind:sweep -"], "a 429 that lasts longer")
        }
    }

    @Test func `an operator is told what a sweep will cost`() async throws {
        try await VisitBed.with { bed in
            try await bed.database.admin.script(
                """
                update dialtone.tenant_tags set held = 980;
                insert into dialtone.tenant_tags (tenant_id, shard, tag, opened, held)
                values ('acme', 2, 'acme.2', 1, 3)
                """)
            #expect(
                try await bed.sweep().estimate(tenant: testTenant)
                    == SweepEstimate(tags: 2, calls: 6, time: .milliseconds(1200)))
            #expect(try await bed.sweep().estimate(tenant: TenantID("nobody")) == SweepEstimate())
        }
    }

    private static func visitDueTags(_ bed: VisitBed) async throws -> [VisitOutcome] {
        let sweep = bed.sweep()
        var outcomes: [VisitOutcome] = []
        for tag in try await bed.database.pool.query(DueTag.take(interval: sweep.interval)).map(DueTag.read) {
            var report = SweepReport()
            outcomes.append(try await sweep.visit(tag, isAsked: false, &report).outcome)
        }
        return outcomes
    }
}
