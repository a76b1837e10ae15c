// SPDX-License-Identifier: Apache-2.0
// A crash leaves many jobs in doubt at once; one list of their tag shows what they made, not one list for each.

import Foundation
import Logging
import Model
import Postgres
import ProviderLimits
import Queue
import Telnyx
import TestSupport
import Testing
import Vault

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
            try await Self.work(on: provider, database) {
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
            try await Self.work(on: provider, database) {
                try await database.until("select 1 from dialtone.users having bool_and(status = 'ready')")
            }
            #expect(provider.lists.allSatisfy { $0.tag == nil } && provider.lists.count == 7)
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
        let names = CredentialName(installation: try await Self.installation(database))
        return users.map { .shown("of-\($0.user)", named: names.name(for: $0, generation: 1)) }
    }

    private static func installation(_ database: TestDatabase) async throws -> UUID {
        try #require(await database.admin.query("select id from dialtone.installation").first).decode(UUID.self)
    }

    /// Runs a worker while `work` waits.
    private static func work(
        on provider: ScriptedProvider, _ database: TestDatabase, _ work: () async throws -> Void
    ) async throws {
        let text = LocalKeyEncryptionKey.generate()
        let installation = try await Self.installation(database)
        let kek = try LocalKeyEncryptionKey(uri: "env:KEK", environment: { _ in text }, file: { _ in "" })
        let worker = OnboardingWorker(
            configuration: .init(), pool: database.pool, api: provider,
            vault: Vault(keys: TenantKeys(pool: database.pool, kek: kek)),
            limits: ProviderLimits(pool: database.pool), wakeup: Wakeup(), installation: installation,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await worker.run() }
            defer { group.cancelAll() }
            try await work()
        }
    }
}
