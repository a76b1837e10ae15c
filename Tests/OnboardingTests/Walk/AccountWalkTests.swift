// SPDX-License-Identifier: Apache-2.0
// The walk over the account finds what stands under no tag of the ledger.

import Foundation
import Model
import Postgres
import ProviderLimits
import Telnyx
import TestSupport
import Testing

@testable import Onboarding

@Suite struct AccountWalkTests {
    @Test func `a credential of ours that the ledger does not have becomes a stray, and a foreign one does not`()
        async throws
    {
        try await Self.with { database, names in
            let other = UserKey(tenant: testTenant, user: try UserID("other"))
            try await database.insert(
                Ledger.user(status: .ready), Ledger.credential(ProviderID(rawValue: "own")), Ledger.user(other),
                Ledger.job(of: other, state: .armed, epoch: 1, worker: WorkerID(rawValue: UUID())))
            let nobody = UserKey(tenant: testTenant, user: try UserID("nobody"))
            let shown: [TelephonyCredential] = [
                .shown("own", named: names.name(for: testUserKey, generation: 1)),
                .shown("under way", named: names.name(for: other, generation: 1)),
                .shown("stray", named: names.name(for: nobody, generation: 1)), .shown("foreign", named: "sales"),
            ]
            let walk = Self.walk(database, names, ScriptedProvider { $0.list = { _ in shown } })
            #expect(try await walk.step())
            let strays = try await database.admin.query(
                "select provider_id from dialtone.surplus where user_id is null"
            ).map { try $0.decode(String.self) }
            #expect(strays == ["stray"])
            #expect(try await !walk.step(), "the next round begins a day later")
        }
    }

    /// Days of a round, by the number of pages.
    @Test(arguments: [(1, 86.0), (400, 86), (4_000, 86), (8_000, 75.6), (40_000, 20)])
    func `a page of the walk takes 20 to 86 seconds`(_ pages: Int, _ seconds: Double) {
        let pause = WalkPlace.pause(pages: Int32(pages))
        #expect(abs(pause / .seconds(1) - seconds) < 0.1)
    }

    @Test func `the walk goes from page to page, and begins anew after the last`() async throws {
        try await Self.with { database, names in
            let page = CredentialPage(
                credentials: [.shown("foreign", named: "sales")], totalPages: 2, totalResults: 2)
            for (place, next) in [(Int32(1), Int32(2)), (2, 1)] {
                _ = try await database.admin.query(WalkPlace(page: place, pages: nil).next(after: page))
                let row = try await database.admin.query("select page from dialtone.account_walk").first
                #expect(try row?.decode(Int32.self) == next)
            }
        }
    }

    private static func with(_ work: (TestDatabase, CredentialName) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            try await database.insert(Ledger.tenant(), Ledger.tag())
            try await work(database, CredentialName(installation: UUID()))
        }
    }

    private static func walk(
        _ database: TestDatabase, _ names: CredentialName, _ provider: ScriptedProvider
    ) -> AccountWalk {
        AccountWalk(
            pool: database.pool,
            provider: GuardedProvider(api: provider, limits: ProviderLimits(pool: database.pool)), names: names)
    }
}
