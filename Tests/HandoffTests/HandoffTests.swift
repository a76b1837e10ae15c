// SPDX-License-Identifier: Apache-2.0
// The handoff gives login tokens to users with a credential only, mints few, and reports the provider's failures.

import Foundation
import Model
import Postgres
import ProviderLimits
import Synchronization
import Telnyx
import TestSupport
import Testing
import Vault

@testable import Handoff

@Suite struct HandoffTests {
    private static let noon = Date(timeIntervalSince1970: 1_800_000_000)

    @Test func `calls for one user share one login token until half its life is over`() async throws {
        try await Self.withUser { handoff, provider, _ in
            let tokens = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<50 { group.addTask { try await handoff.token(at: Self.noon).loginToken.reveal() } }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(tokens == ["token-1"] && provider.calls == 1)
            let hour: TimeInterval = 3600
            #expect(try await handoff.token(at: Self.noon + 11 * hour).loginToken.reveal() == "token-1")
            #expect(try await handoff.token(at: Self.noon + 13 * hour).loginToken.reveal() == "token-2")
        }
    }

    @Test func `a login token comes with its SIP username, its expiry and its refresh time`() async throws {
        try await Self.withUser { handoff, _, _ in
            let handed = try await handoff.token(at: Self.noon)
            #expect(handed.sipUsername == "sip-user")
            #expect(handed.expiresAt == Self.noon + 86400)
            #expect(handed.refreshAfter < handed.expiresAt - 119 && handed.refreshAfter > Self.noon)
            #expect(!"\(handed)".contains("token-1"), "a token in a log would be a login")
        }
    }

    @Test func `only a user with a credential gets a login token`() async throws {
        try await Self.withUser { handoff, provider, database in
            try await database.admin.script("update dialtone.credentials set status = 'deleted'")
            for (change, expected) in [
                ("status = 'pending', ready_at = null", .pending(retryAfter: 1)), ("status = 'failed'", .failed),
                ("status = 'revoking', wanted = 'gone'", .revoked), ("status = 'revoked', wanted = 'gone'", .revoked),
            ] as [(String, HandoffError)] {
                try await database.admin.script("update dialtone.users set \(change)")
                await #expect(throws: expected) { try await handoff.token(at: Self.noon) }
            }
            try await database.admin.script("delete from dialtone.users")
            await #expect(throws: HandoffError.unknownUser) { try await handoff.token(at: Self.noon) }
            #expect(provider.calls == 0)
        }
    }

    /// The cache is no way around a revoke, because every call asks the ledger.
    @Test func `a revoked user gets no login token from the cache`() async throws {
        try await Self.withUser { handoff, _, database in
            _ = try await handoff.token(at: Self.noon)
            try await database.admin.script("update dialtone.users set status = 'revoked', wanted = 'gone'")
            await #expect(throws: HandoffError.revoked) { try await handoff.token(at: Self.noon) }
        }
    }

    @Test func `a call that may wait returns when the user is ready`() async throws {
        try await Self.withUser { handoff, _, database in
            try await database.admin.script(
                "update dialtone.users set status = 'pending'; update dialtone.credentials set status = 'deleted'")
            async let waiting = handoff.token(at: Self.noon, wait: .seconds(20))
            try await database.admin.script(
                "update dialtone.users set status = 'ready'; update dialtone.credentials set status = 'active'")
            #expect(try await waiting.sipUsername == "sip-user")
        }
    }

    /// The older credential serves during a rotation, and also after a rotation has failed.
    @Test func `the older credential serves until its successor exists`() async throws {
        try await Self.withUser { handoff, provider, database in
            for status in ["ready", "failed"] {
                try await database.admin.script("update dialtone.users set generation = 2, status = '\(status)'")
                #expect(try await handoff.token(at: Self.noon).sipUsername == "sip-user")
            }
            #expect(provider.calls == 1)
        }
    }

    @Test func `a failure of the provider is not cached, and a 429 pauses every node`() async throws {
        try await Self.withUser { handoff, provider, database in
            for kind in [TelnyxFailure.Kind.notFound, .refused, .rejected, .unavailable, .unreadable] {
                provider.fail(TelnyxFailure(kind))
                await #expect(throws: HandoffError.providerUnavailable(retryAfter: 5)) {
                    try await handoff.token(at: Self.noon)
                }
            }
            provider.fail(TelnyxFailure(.rateLimited, retryAfter: .seconds(30)))
            await #expect(throws: HandoffError.providerUnavailable(retryAfter: 31)) {
                try await handoff.token(at: Self.noon)
            }
            let paused = try await database.admin.query(
                "select 1 from dialtone.provider_limits where scope = 'account' and paused_until > now()")
            #expect(paused.count == 1, "a 429 pauses every node")
            let calls = provider.calls
            await #expect(throws: HandoffError.providerUnavailable(retryAfter: 5)) {
                try await handoff.token(at: Self.noon)
            }
            #expect(provider.calls == calls, "and while it lasts nothing is sent")
            try await database.admin.script("delete from dialtone.provider_limits")
        }
    }

    @Test func `a credential row moved to another user gives no login token`() async throws {
        try await Self.withUser { handoff, _, database in
            let thief = UserKey(tenant: testTenant, user: try UserID("thief"))
            try await database.insert(Ledger.user(thief, status: .ready, readyAt: Date()))
            try await database.admin.script("update dialtone.credentials set user_id = 'thief'")
            await #expect(throws: HandoffError.unavailable) { try await handoff.token(at: Self.noon, user: "thief") }
        }
    }

    // MARK: One ready user

    private static func withUser(
        _ work: (Handoff, TokenMint, TestDatabase) async throws -> Void
    ) async throws {
        try await TestDatabase.with { database in
            let text = LocalKeyEncryptionKey.generate()
            let kek = try LocalKeyEncryptionKey(uri: "env:KEK", environment: { _ in text }, file: { _ in "" })
            let vault = Vault(keys: TenantKeys(pool: database.pool, kek: kek))
            let (user, id) = (
                UserKey(tenant: try TenantID("acme"), user: try UserID("u")), ProviderID(rawValue: "id-1")
            )
            try await database.insert(Ledger.tenant(), Ledger.user(user, status: .ready, readyAt: Date()))
            let sealed = try await vault.seal(
                Secret("sip-user"), .credential("sealed_username", of: user, generation: 1, id))
            try await database.insert(Ledger.credential(id, of: user, sealedUsername: sealed))
            let provider = TokenMint()
            let handoff = Handoff(
                pool: database.pool, api: provider, vault: vault, limits: ProviderLimits(pool: database.pool))
            try await work(handoff, provider, database)
        }
    }
}

extension Handoff {
    fileprivate func token(at now: Date, wait: Duration = .zero, user: String = "u") async throws -> HandedToken {
        let key = UserKey(tenant: try TenantID("acme"), user: try UserID(user))
        return try await self.loginToken(for: key, wait: wait, now: now)
    }
}

/// A provider that only mints login tokens. Each token is valid until 24 hours after noon.
private final class TokenMint: TelephonyCredentialsAPI {
    private struct State {
        var calls = 0
        var minted = 0
        var failure: TelnyxFailure?
    }

    private let state = Mutex(State())

    var calls: Int { self.state.withLock(\.calls) }

    func fail(_ failure: TelnyxFailure) { self.state.withLock { $0.failure = failure } }

    func token(_ id: ProviderID) async throws(TelnyxFailure) -> LoginToken {
        let result = self.state.withLock { state -> Result<LoginToken, TelnyxFailure> in
            state.calls += 1
            defer { state.failure = nil }
            if let failure = state.failure { return .failure(failure) }
            state.minted += 1
            return .success(
                LoginToken(
                    token: Secret("token-\(state.minted)"),
                    expiresAt: Date(timeIntervalSince1970: 1_800_000_000 + 86400)))
        }
        return try result.get()
    }

    func create(_ request: CreateRequest) async -> CreateOutcome { .notSent }
    func list(_ query: ListQuery, page: Int) async throws(TelnyxFailure) -> CredentialPage {
        throw TelnyxFailure(.refused)
    }
    func retrieve(_ id: ProviderID) async throws(TelnyxFailure) -> TelephonyCredential { throw TelnyxFailure(.refused) }
    func delete(_ id: ProviderID) async throws(TelnyxFailure) -> ProviderTrace { throw TelnyxFailure(.refused) }
}
