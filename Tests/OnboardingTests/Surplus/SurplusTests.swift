// SPDX-License-Identifier: Apache-2.0
// Surplus is deleted without anyone asking for it, so committed rows of a trusted ledger must prove that it is surplus.

import Foundation
import Model
import Postgres
import Queue
import TestSupport
import Testing

@testable import Onboarding

@Suite struct SurplusTests {
    /// Credential `s` of the test's user, generation 2, is taken for surplus. Each case gives the rows of the ledger
    /// and says whether `s` may be deleted.
    private static let cases: [(name: String, rows: [SQL], mayGo: Bool)] = [
        ("another id owns the generation", [user(.live, 2), credential("other", 2)], true),
        ("the generation is closed", [user(.live, 3)], true),
        ("the user is gone", [user(.gone, 2)], true),
        ("the user wants it", [user(.live, 2)], false),
        ("the generation is to come", [user(.live, 1)], false),
        ("nobody knows the user", [], false),
        ("a job of the generation works", [user(.gone, 2), Ledger.job(generation: 2)], false),
        ("a job of the next one works", [user(.live, 3), Ledger.job(generation: 3)], true),
        ("it is the one that is owned", [user(.live, 2), credential("s", 2)], false),
        ("it was owned and is deleted", [user(.live, 3), credential("s", 2, .deleted)], false),
    ]

    @Test(arguments: cases.indices)
    func `surplus is deleted only when committed rows prove that it is surplus`(_ number: Int) async throws {
        let given = Self.cases[number]
        try await Self.with(given.rows) { database in
            let due = try await database.admin.query(Surplus.due(hold: .seconds(60)))
            #expect(due.count == (given.mayGo ? 1 : 0), "\(given.name)")
            if given.mayGo {
                let again = try await database.admin.query(Surplus.due(hold: .seconds(60)))
                #expect(again.isEmpty, "one deleter at a time")
            }
        }
    }

    /// Each case changes the server's state under the same clear surplus. In the last case a sweep has seen the tenant
    /// since the change.
    private static let changes: [(name: String, change: String, mayGo: Bool)] = [
        ("the ledger is not trusted", "update dialtone.incarnation set looks_first = true", false),
        ("it stands on another system", "update dialtone.incarnation set is_stopped = true", false),
        ("the server is another", "update dialtone.incarnation set started = started - 1", false),
        ("nobody has met the server", "delete from dialtone.incarnation", false),
        (
            "the tenant was seen since",
            "update dialtone.incarnation set looks_first = true; "
                + "update dialtone.tenants t set swept_under = i.started from dialtone.incarnation i", true
        ),
    ]

    @Test(arguments: changes.indices)
    func `no surplus is deleted while the ledger is not trusted`(_ number: Int) async throws {
        let given = Self.changes[number]
        try await Self.with([Self.user(.gone, 2)]) { database in
            try await database.admin.script(given.change)
            let due = try await database.admin.query(Surplus.due(hold: .seconds(60)))
            #expect(due.count == (given.mayGo ? 1 : 0), "\(given.name)")
        }
    }

    // MARK: Test bed

    private static func with(_ rows: [SQL], _ work: (TestDatabase) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            try await database.insert(Ledger.tenant())
            _ = try await database.admin.query(Incarnation.adopt(lease: .seconds(30), landingTime: .seconds(40)))
            try await database.insert(rows + [Ledger.surplus(ProviderID(rawValue: "s"), generation: 2)])
            try await work(database)
        }
    }

    private static func user(_ wanted: Wanted, _ generation: Generation) -> SQL {
        Ledger.user(wanted: wanted, generation: generation)
    }

    private static func credential(
        _ id: String, _ generation: Generation, _ status: CredentialStatus = .active
    ) -> SQL {
        Ledger.credential(ProviderID(rawValue: id), generation: generation, status: status)
    }
}
