// SPDX-License-Identifier: Apache-2.0
// A known hook waits for no guess, is read once at a time, and serves from memory while the database is silent.

import Foundation
import Logging
import Model
import Postgres
import Queue
import TestSupport
import Testing
import Vault

@testable import Intake

@Suite struct SourceCacheTests {
    private static let noon = Date(timeIntervalSince1970: 1_800_000_000)

    @Test func `many who refresh one hook ask once`() async throws {
        try await Self.withHook { cache, hook, database in
            _ = try await cache.source(for: hook, now: Self.noon)
            try await database.admin.script("begin; lock table dialtone.sources")
            try await withThrowingTaskGroup(of: Void.self) { group in
                // It was read long ago, so all of them wait for the database.
                for _ in 0..<50 { group.addTask { _ = try await cache.source(for: hook, now: Self.noon + 3600) } }
                while cache.reads.waiting(for: hook) < 50 { await Task.yield() }
                try await database.untilSomebodyWaitsForALock()
                #expect(database.pool.counts.leased + database.pool.counts.waiting == 1)
                try await database.admin.script("commit")
                try await group.waitForAll()
            }
        }
    }

    @Test func `ten thousand invented hooks leave a known one in memory`() async throws {
        try await Self.withHook { cache, hook, database in
            _ = try await cache.source(for: hook, now: Self.noon)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for lane in 0..<8 {
                    group.addTask {
                        for number in 0..<1300 {
                            await #expect(throws: IntakeError.unknownHook) {
                                try await cache.source(for: "hk_\(lane)_\(number)", now: Self.noon)
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(cache.known(hook, now: Self.noon) != nil)
        }
    }

    @Test func `64 hooks that are not known are looked up at a time, and one more is refused at once`()
        async throws
    {
        try await Self.withHook { cache, hook, database in
            _ = try await cache.source(for: hook, now: Self.noon)
            try await database.admin.script("begin; lock table dialtone.sources")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<64 {
                    group.addTask {
                        await #expect(throws: IntakeError.unknownHook) {
                            try await cache.source(for: "hk_\(number)", now: Self.noon)
                        }
                    }
                }
                while database.pool.counts.leased + database.pool.counts.waiting < 64 { await Task.yield() }
                await #expect(throws: IntakeError.tooManyUnknown) {
                    try await cache.source(for: "hk_more", now: Self.noon)
                }
                let known = try await cache.source(for: hook, now: Self.noon + 4)
                #expect(known.tenant == testTenant, "a known hook has no share in that")
                try await database.admin.script("commit")
                try await group.waitForAll()
            }
        }
    }

    @Test func `while the table is locked the last answer serves, and no longer than a minute`() async throws {
        try await Self.withHook { cache, hook, database in
            _ = try await cache.source(for: hook, now: Self.noon)
            try await database.admin.script("begin; lock table dialtone.sources")
            for seconds in [5.0, 30, 59] {
                let source = try await cache.source(for: hook, now: Self.noon + seconds)
                #expect(source.tenant == testTenant, "\(seconds) s")
            }
            let late = Task { try await cache.source(for: hook, now: Self.noon + 60) }
            while cache.reads.waiting(for: hook) < 1 { await Task.yield() }
            try await database.admin.script("commit")
            let source = try await late.value
            #expect(source.tenant == testTenant, "after a minute the database is waited for")
        }
    }

    @Test func `an answer of the database counts at once after five seconds`() async throws {
        try await Self.withHook { cache, hook, database in
            _ = try await cache.source(for: hook, now: Self.noon)
            try await database.admin.script("update dialtone.sources set status = 'disabled'")
            let young = try await cache.source(for: hook, now: Self.noon + 4.9)
            #expect(young.tenant == testTenant)
            await #expect(throws: IntakeError.disabled) {
                try await cache.source(for: hook, now: Self.noon + 5)
            }
            #expect(cache.known(hook, now: Self.noon + 5) == nil)
            try await database.admin.script("update dialtone.sources set status = 'deleted'")
            await #expect(throws: IntakeError.disabled) { try await cache.source(for: hook, now: Self.noon + 9.9) }
            await #expect(throws: IntakeError.unknownHook) { try await cache.source(for: hook, now: Self.noon + 10) }
        }
    }

    /// The pools that are shut down stand for a database that is gone.
    @Test func `without a database a known hook is still known for a minute, and nothing is said to be stored`()
        async throws
    {
        try await Self.withHook { _, hook, database in
            var limits = PostgresPool.Configuration(try PostgresConfiguration(url: database.url))
            limits.leaseTimeout = .seconds(60)
            let pool = PostgresPool(limits)
            let intake = Intake(
                pool: pool, lookUps: pool, vault: try Self.vault(of: database), wakeup: Wakeup(),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await intake.run() }
                await withTaskGroup(of: Void.self) { alive in
                    alive.addTask { await pool.run() }
                    let answer = await intake.answer(to: hook, at: Self.noon)
                    #expect(answer == Self.unsigned)
                    alive.cancelAll()
                }
                for (seconds, isKnown) in [(4.0, true), (6, true), (59, true), (61, false)] {
                    let answer = await intake.answer(to: hook, at: Self.noon + seconds)
                    let expected: IntakeError = isKnown ? Self.unsigned : .unavailable
                    #expect(answer == expected, "\(seconds) s")
                    let signed = await intake.answer(to: hook, at: Self.noon + seconds, signedWith: Self.secret)
                    #expect(signed == .unavailable, "a commit needs the database: \(seconds) s")
                }
                group.cancelAll()
            }
        }
    }

    // MARK: The bed

    private static let unsigned = IntakeError.badProof(ProofFailure(.missing, "webhook-id is missing"))
    private static let kek = LocalKeyEncryptionKey.generate()
    private static let secret = "whsec_\(Data(repeating: 7, count: 32).base64EncodedString())"

    private static func vault(of database: TestDatabase) throws -> Vault {
        let text = Self.kek
        let kek = try LocalKeyEncryptionKey(uri: "env:KEK", environment: { _ in text }, file: { _ in "" })
        return Vault(keys: TenantKeys(pool: database.pool, kek: kek))
    }

    /// Lends a cache, and the hook of a source of `acme`.
    private static func withHook(_ work: (SourceCache, String, TestDatabase) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            try await database.insert(Ledger.tenant())
            let vault = try Self.vault(of: database)
            let source = SourceID(rawValue: UUID())
            let id = UUID()
            let place = SecretPlace.binding(id, of: source, testTenant.rawValue)
            let sealed = try await vault.seal(Secret(Self.secret), place)
            try await database.insert(
                """
                insert into dialtone.sources (source_id, slug, tenant_id, hook_id, preset)
                values (\(source), 'app', \(testTenant), 'hk_known', 'standard')
                """,
                """
                insert into dialtone.source_secrets (secret_id, source_id, tenant_id, sealed)
                values (\(id), \(source), \(testTenant), \(Bytes(sealed)))
                """)
            let cache = SourceCache(
                known: database.pool, lookUps: database.pool, shares: PoolShares(), vault: vault,
                budgets: SourceBudgets(rate: 1000, logger: Logger(label: "test")),
                published: JWKSCaches(fetch: Intake.fetchesNoKeys))
            try await work(cache, "hk_known", database)
        }
    }
}

extension Intake {
    /// What became of a delivery to this hook; nil when it was stored. Without a secret it has no proof.
    fileprivate func answer(to hook: String, at now: Date, signedWith secret: String? = nil) async -> IntakeError? {
        let body = Array("{\"type\":\"user.created\",\"data\":{\"user_id\":\"u\"}}".utf8)
        var headers: [String: String] = [:]
        if let secret, let key = try? StandardWebhooksProof.key(from: secret) {
            let stamp = Int64(now.timeIntervalSince1970)
            headers = [
                "webhook-id": "d", "webhook-timestamp": "\(stamp)",
                "webhook-signature": StandardWebhooksProof.sign(id: "d", timestamp: stamp, body: body, key: key),
            ]
        }
        let given = headers
        do throws(IntakeError) {
            _ = try await self.receive(
                Delivery(hook: hook, headers: { name in given[name].map { [$0] } ?? [] }, body: body, receivedAt: now))
            return nil
        } catch {
            return error
        }
    }
}
