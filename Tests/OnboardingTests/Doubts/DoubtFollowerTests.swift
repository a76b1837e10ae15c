// SPDX-License-Identifier: Apache-2.0
// A create that lands long after it was given up is found by its name.

import Foundation
import Model
import Postgres
import ProviderLimits
import Telnyx
import TestSupport
import Testing

@testable import Onboarding

@Suite struct DoubtFollowerTests {
    @Test func `a create that lands after its generation has another owner becomes surplus`() async throws {
        try await Self.with { bed async throws in
            try await bed.database.insert(
                Ledger.user(status: .ready), Ledger.credential(ProviderID(rawValue: "own")))
            try await bed.doubt(age: .seconds(600))
            let count = try await bed.follower(showing: ["own", "late"]).followDue()
            #expect(count == 1)
            #expect(try await bed.texts("select provider_id from dialtone.surplus") == ["late"])
        }
    }

    @Test func `a create that lands while its job is in doubt makes the job look at once`() async throws {
        try await Self.with { bed async throws in
            try await bed.database.insert(Ledger.user(), Ledger.job(state: .inDoubt))
            _ = try await bed.database.admin.query("update dialtone.jobs set run_at = now() + interval '1 hour'")
            try await bed.doubt(age: .seconds(600))
            _ = try await bed.follower(showing: ["late"]).followDue()
            let due = try await bed.texts("select id::text from dialtone.jobs where run_at <= clock_timestamp()")
            #expect(due.count == 1)
            #expect(try await bed.texts("select provider_id from dialtone.surplus").isEmpty)
        }
    }

    @Test func `a wanted credential that nobody's job would find gets a job that looks`() async throws {
        try await Self.with { bed async throws in
            try await bed.database.insert(Ledger.user())
            try await bed.doubt(age: .seconds(600))
            _ = try await bed.follower(showing: ["late"]).followDue()
            #expect(try await bed.texts("select state from dialtone.jobs") == ["in_doubt"])
        }
    }

    @Test func `four names of one tag cost one list of the tag, and three cost a list each`() async throws {
        for (count, lists) in [(3, 3), (4, 1)] {
            try await Self.with { bed async throws in
                for number in 0..<count {
                    let user = UserKey(tenant: testTenant, user: try UserID("u\(number)"))
                    try await bed.database.insert(Ledger.user(user))
                    try await bed.doubt(of: user, age: .seconds(600))
                }
                let provider = ScriptedProvider { _ in }
                _ = try await bed.follower(on: provider).followDue()
                #expect(provider.lists.count == lists)
                #expect((provider.lists.first?.tag != nil) == (lists == 1))
            }
        }
    }

    /// Each case gives the age of a doubt when it is looked up, and minutes until its next look; nil: it is forgotten.
    private static let ages: [(age: Duration, next: Double?)] = [
        (.seconds(0), 5), (.seconds(59 * 60), 5), (.seconds(61 * 60), 59), (.seconds(3 * 3600), 60),
        (.seconds(9 * 3600), 7 * 60), (.seconds(23 * 3600), 60), (.seconds(24 * 3600 + 1), nil),
    ]

    @Test(arguments: ages.indices)
    func `a name is looked up every five minutes for an hour, then ever more seldom for a day`(
        _ number: Int
    ) async throws {
        let given = Self.ages[number]
        try await Self.with { bed async throws in
            try await bed.doubt(age: given.age)
            _ = try await bed.follower(on: ScriptedProvider { _ in }).followDue()
            let row = try await bed.database.admin.query(
                "select (extract(epoch from due_at - clock_timestamp()) / 60)::float8 from dialtone.doubts"
            ).first
            let minutes = try row?.decode(Double.self)
            #expect((minutes == nil) == (given.next == nil))
            if let minutes, let next = given.next { #expect(abs(minutes - next) < 1) }
        }
    }

    @Test func `a look that failed comes again in a minute, and a name that is taken is nobody else's for two`()
        async throws
    {
        try await Self.with { bed async throws in
            try await bed.doubt(age: .seconds(600))
            let provider = ScriptedProvider { $0.failure = TelnyxFailure(.unavailable) }
            #expect(try await bed.follower(on: provider).followDue() == 1)
            #expect(try await bed.follower(on: provider).followDue() == 0)
            let due = try await bed.texts(
                """
                select 'soon' from dialtone.doubts
                where due_at between clock_timestamp() + interval '50 s' and clock_timestamp() + interval '61 s'
                """)
            #expect(due == ["soon"])
        }
    }

    // MARK: Test bed

    private struct Bed {
        let database: TestDatabase
        let names = CredentialName(installation: UUID())

        func doubt(of user: UserKey = testUserKey, age: Duration) async throws {
            try await self.database.insert(
                """
                insert into dialtone.doubts (tenant_id, user_id, generation, tag, doubted_at, due_at)
                values (\(user.tenant), \(user.user), 1, 'acme', clock_timestamp() - \(age), clock_timestamp())
                """)
        }

        /// A follower of a provider that shows these ids under the name of the test's user.
        func follower(showing ids: [String]) -> DoubtFollower {
            let name = self.names.name(for: testUserKey, generation: 1)
            return self.follower(
                on: ScriptedProvider { $0.list = { _ in ids.map { .shown($0, named: name) } } })
        }

        func follower(on provider: ScriptedProvider) -> DoubtFollower {
            DoubtFollower(
                pool: self.database.pool,
                provider: GuardedProvider(api: provider, limits: ProviderLimits(pool: self.database.pool)),
                names: self.names, deadline: .seconds(10))
        }

        func texts(_ query: SQL) async throws -> [String] {
            try await self.database.admin.query(query).map { try $0.decode(String.self) }
        }
    }

    private static func with(_ work: (Bed) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            try await database.insert(Ledger.tenant(), Ledger.tag())
            try await work(Bed(database: database))
        }
    }
}
