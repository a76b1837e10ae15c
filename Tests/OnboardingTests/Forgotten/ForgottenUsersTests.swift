// SPDX-License-Identifier: Apache-2.0
// Users who are not as wanted and have no job get one, without a call to the provider.

import Foundation
import Model
import Postgres
import TestSupport
import Testing

@testable import Onboarding

@Suite struct ForgottenUsersTests {
    /// Each case is a user who has no job, and whether one is queued.
    private static let cases: [(name: String, rows: [SQL], isQueued: Bool)] = [
        ("waits for a credential", [Ledger.user()], true),
        ("has it", [Ledger.user(status: .ready), Self.credential(1)], false),
        ("has lost it", [Ledger.user(status: .ready)], true),
        ("has an older one", [Ledger.user(generation: 2), Self.credential(1)], true),
        ("was given up", [Ledger.user(status: .failed)], false),
        ("is gone", [Ledger.user(wanted: .gone, status: .revoked)], false),
        ("is gone and still has one", [Ledger.user(wanted: .gone, status: .revoked), Self.credential(1)], true),
        ("is to go", [Ledger.user(wanted: .gone, status: .revoking)], true),
    ]

    @Test(arguments: cases.indices)
    func `a user who is not as wanted and has no job gets one that looks first`(_ number: Int) async throws {
        let given = Self.cases[number]
        try await TestDatabase.with { database in
            try await database.insert([Ledger.tenant()] + given.rows)
            let rows = try await database.pool.query(ForgottenUsers.enqueue(after: ForgottenUsers.Place()))
            let (place, queued) = try ForgottenUsers.nextPlace(after: rows)
            #expect(queued == (given.isQueued ? 1 : 0) && place.user.isEmpty, "\(given.name)")
            let jobs = try await database.admin.query("select state from dialtone.jobs").map {
                try $0.decode(String.self)
            }
            #expect(jobs == (given.isQueued ? ["in_doubt"] : []), "\(given.name)")
        }
    }

    @Test func `the walk goes on where the last page has ended, and begins anew after the last`() async throws {
        try await TestDatabase.with { database in
            try await database.insert(Ledger.tenant(), Ledger.users(1500))
            var place = ForgottenUsers.Place()
            var queued: [Int] = []
            repeat {
                let next = try ForgottenUsers.nextPlace(
                    after: try await database.pool.query(ForgottenUsers.enqueue(after: place)))
                place = next.place
                queued.append(next.queued)
            } while !place.user.isEmpty
            #expect(queued == [1000, 500])
        }
    }

    private static func credential(_ generation: Generation) -> SQL {
        Ledger.credential(ProviderID(rawValue: "p"), generation: generation)
    }
}
