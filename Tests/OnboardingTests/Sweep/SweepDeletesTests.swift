// SPDX-License-Identifier: Apache-2.0
// An operator's sweep returns when what it has found is deleted, by whomever, and it goes on while the workers rest.

import Foundation
import Model
import Postgres
import ProviderLimits
import Telnyx
import TestSupport
import Testing

@testable import Onboarding

@Suite struct SweepDeletesTests {
    private static let extra = ProviderID(rawValue: "extra")

    /// A second credential of user 1, whose row a worker takes as soon as it is remembered.
    private static func withTakenSurplus(_ work: (VisitBed) async throws -> Void) async throws {
        try await VisitBed.with(2) { bed in
            bed.provider.add(try bed.shown("extra", of: 1), to: "acme")
            try await bed.database.admin.script(
                """
                create function dialtone.taken() returns trigger language plpgsql as
                $$ begin new.due_at := clock_timestamp() + interval '2 minutes'; return new; end $$;
                create trigger taken before insert on dialtone.surplus for each row execute function dialtone.taken()
                """)
            try await work(bed)
        }
    }

    // MARK: Deletes by others

    @Test func `a sweep waits for the delete of what a worker has taken`() async throws {
        try await Self.withTakenSurplus { bed in
            let time = SleptTime()
            var sweep = bed.sweep { $0.isThorough = true }
            sweep.time = time.passing { [database = bed.database] in
                _ = try await database.pool.query(Surplus.deleted(Self.extra))
            }
            let report = try await sweep.run(tenant: testTenant)
            #expect(report.surplus == 1 && report.surplusDeleted == 1)
            #expect(bed.provider.deleted.isEmpty && time.total == .seconds(1))
        }
    }

    /// What happens to the delete that the sweep waits for.
    private static let ends: [(name: String, statement: SQL)] = [
        ("the provider refuses it", Surplus.putOff(Self.extra, first: .seconds(60))),
        ("deletes are stopped", "update dialtone.incarnation set is_stopped = true"),
        ("its row is gone", "delete from dialtone.surplus"),
    ]

    @Test(arguments: ends.indices)
    func `a sweep waits no longer for a delete that will not come`(_ number: Int) async throws {
        let given = Self.ends[number]
        try await Self.withTakenSurplus { bed in
            let time = SleptTime()
            var sweep = bed.sweep { $0.isThorough = true }
            sweep.time = time.passing { [database = bed.database] in
                _ = try await database.admin.query(given.statement)
            }
            let report = try await sweep.run(tenant: testTenant)
            #expect(report.surplus == 1 && report.surplusDeleted == 0, "\(given.name)")
            #expect(time.total == .seconds(1), "\(given.name)")
        }
    }

    @Test func `a sweep waits three minutes for a delete that never comes`() async throws {
        try await Self.withTakenSurplus { bed in
            let time = SleptTime()
            var sweep = bed.sweep { $0.isThorough = true }
            sweep.time = time.passing()
            let report = try await sweep.run(tenant: testTenant)
            #expect(report.surplus == 1 && report.surplusDeleted == 0)
            #expect(time.total == .seconds(180))
        }
    }

    /// What was proven before the wait may be wrong behind it.
    @Test func `a delete that was held back is judged anew when the wait is over`() async throws {
        try await VisitBed.with(2) { bed in
            bed.provider.add(try bed.shown("extra", of: 1), to: "acme")
            bed.provider.change { $0.heldDelete = .seconds(300) }
            let time = SleptTime()
            let passing = time.passing { [database = bed.database] in
                try await database.admin.script(
                    "update dialtone.surplus set due_at = now(); update dialtone.incarnation set is_stopped = true")
            }
            let usual = bed.sweep { $0.isThorough = true }
            var provider = usual.provider
            provider.patience = CallPatience(.seconds(960), time: passing)
            var sweep = Sweep(
                pool: usual.pool, provider: provider, names: usual.names, lease: usual.lease,
                landingTime: usual.landingTime, options: usual.options)
            sweep.time = passing
            let report = try await sweep.run(tenant: testTenant)
            #expect(report.surplus == 1 && report.surplusDeleted == 0)
            #expect(bed.provider.deleted.isEmpty && time.total == .seconds(300))
            let tries = try await bed.database.admin.query("select 1 from dialtone.surplus where attempts = 0").count
            #expect(tries == 1, "a call that was not made is no try")
        }
    }

    // MARK: One tenant

    @Test func `a sweep of one tenant deletes no other tenant's surplus`() async throws {
        try await VisitBed.with(1) { bed in
            let id = ProviderID(rawValue: "of-beta")
            let other = UserKey(tenant: try TenantID("beta"), user: try UserID("v"))
            try await bed.database.insert(
                Ledger.tenant(other.tenant, connection: "2"), Ledger.user(other, wanted: .gone, status: .revoked),
                Ledger.surplus(id, of: other))
            bed.provider.add(.shown("of-beta", named: "n"), to: "beta")
            let runs: [(tenant: TenantID?, deleted: [ProviderID])] = [(testTenant, []), (nil, [id])]
            for run in runs {
                let report = try await bed.sweep { $0.isThorough = true }.run(tenant: run.tenant)
                #expect(bed.provider.deleted == run.deleted && report.surplusDeleted == run.deleted.count)
            }
        }
    }

    // MARK: Pauses

    @Test func `a sweep that an operator runs begins while the workers' visits rest`() async throws {
        try await VisitBed.with(2) { bed in
            await ProviderLimits(pool: bed.database.pool).pause(.sweep, for: .seconds(600))
            let report = try await bed.sweep { $0.patience = .zero }.run(tenant: testTenant)
            #expect(report.failedLists == 0 && report.listed == 2)
        }
    }

    @Test func `a sweep that an operator runs says that calls are held back when its patience is over`() async throws {
        try await VisitBed.with(2) { bed in
            await ProviderLimits(pool: bed.database.pool).pause(.looks, for: .seconds(600))
            let report = try await bed.sweep { $0.patience = .seconds(60) }.run(tenant: testTenant)
            #expect(report.failure == "calls are held back: see dialtone limit list")
            #expect(report.failedLists == 1 && bed.provider.calls == 0)
        }
    }
}
