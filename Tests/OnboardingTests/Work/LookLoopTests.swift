// SPDX-License-Identifier: Apache-2.0
// A crash leaves many jobs in doubt at once; one list of their tag shows what they made, not one list for each.

import Foundation
import Model
import Postgres
import Telnyx
import TestSupport
import Testing

@testable import Onboarding

@Suite struct LookLoopTests {
    @Test func `many jobs in doubt under one tag are looked up in one list of the tag`() async throws {
        try await TestDatabase.with { database in
            let users = try await Self.doubt(12, in: database)
            let made = try await Self.credentials(of: users, in: database)
            // The tag's list does not show the last two yet.
            let provider = ScriptedProvider {
                $0.list = { query in
                    query.tag == "acme" ? Array(made.dropLast(2)) : made.filter { $0.name == query.name }
                }
            }
            try await WorkerBed.work(on: provider, database) {
                try await database.until("select 1 from dialtone.users having bool_and(status = 'ready')")
            }
            let lists = provider.lists
            #expect(lists.count { $0.tag == "acme" } == 1)
            #expect(Set(lists.compactMap(\.name)) == Set(made.suffix(2).compactMap(\.name)), "who was not on it")
            #expect(lists.count == 3 && provider.creates == 0)
            let owned = try await database.admin.query(
                "select user_id from dialtone.credentials where provider_id = 'of-' || user_id and status = 'active'")
            #expect(owned.count == 12)
        }
    }

    @Test func `a few jobs in doubt are looked up by name`() async throws {
        try await TestDatabase.with { database in
            let users = try await Self.doubt(7, in: database)
            let made = try await Self.credentials(of: users, in: database)
            let provider = ScriptedProvider { $0.list = { query in made.filter { $0.name == query.name } } }
            try await WorkerBed.work(on: provider, database) {
                try await database.until("select 1 from dialtone.users having bool_and(status = 'ready')")
            }
            #expect(provider.lists.allSatisfy { $0.tag == nil })
            // A look whose result meets a deadlock is made again.
            #expect(Set(provider.lists.compactMap(\.name)) == Set(made.compactMap(\.name)))
        }
    }

    /// Every look at one user waits for all others. A loop that looks by blocks would never come to the last ones.
    @Test func `a slow look holds up nobody else`() async throws {
        try await TestDatabase.with { database in
            let users = try await Self.doubt(40, in: database)
            let made = try await Self.credentials(of: users, in: database)
            let slow = try #require(made.first)
            try await database.admin.script(
                "update dialtone.jobs set run_at = run_at - interval '1 hour' where user_id = 'user-1'")
            let others = Latch()
            let provider = ScriptedProvider {
                // No tag is listed: the lists of names have all to do.
                $0.list = { query in query.tag == nil ? made.filter { $0.name == query.name } : [] }
                $0.beforeList = { query in if query.name == slow.name { await others.wait() } }
            }
            try await WorkerBed.work(on: provider, database) {
                defer { others.open() }
                try await database.until(
                    "select 1 from dialtone.users where status = 'ready' having count(*) = 39")
                #expect(try await database.admin.query("select 1 from dialtone.jobs").count == 1)
                others.open()
                try await database.until("select 1 from dialtone.users having bool_and(status = 'ready')")
            }
            #expect(provider.creates == 0)
        }
    }

    /// The quiet time of all jobs is over, and nothing exists. Each name is looked up, and one list of the tag is the
    /// other half of every proof.
    @Test func `one list of a tag serves as proof of absence for all its jobs`() async throws {
        try await TestDatabase.with { database in
            _ = try await Self.doubt(12, in: database)
            try await database.admin.script("update dialtone.jobs set quiet_until = now() - interval '1 minute'")
            let provider = ScriptedProvider.making()
            try await WorkerBed.work(on: provider, database) {
                try await database.until("select 1 from dialtone.users having bool_and(status = 'ready')")
            }
            #expect(provider.creates == 12)
            #expect(provider.lists.count { $0.tag == "acme" } <= 3, "not one for each job")
            #expect(provider.lists.count { $0.name != nil } >= 12)
        }
    }

    // MARK: Test bed

    /// Inserts users whose creates were sent and not answered. All are due for a look.
    private static func doubt(_ count: Int, in database: TestDatabase) async throws -> [UserKey] {
        try await database.insert(
            Ledger.tenant(), Ledger.tag(held: count), Ledger.users(count),
            Ledger.jobs(count, state: .inDoubt, isDoubtful: true, tag: "acme"))
        return try (1...count).map { UserKey(tenant: testTenant, user: try UserID("user-\($0)")) }
    }

    /// What those creates have made at the provider.
    private static func credentials(
        of users: [UserKey], in database: TestDatabase
    ) async throws -> [TelephonyCredential] {
        let names = CredentialName(installation: try await WorkerBed.installation(on: database.admin))
        return users.map { .shown("of-\($0.user)", named: names.name(for: $0, generation: 1)) }
    }
}
