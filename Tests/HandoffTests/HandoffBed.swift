// SPDX-License-Identifier: Apache-2.0
// What the tests of the handoff begin with: ready users with a sealed SIP username, and a provider that mints tokens.

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

enum HandoffBed {
    static let noon = Date(timeIntervalSince1970: 1_800_000_000)

    /// Lends a handoff with the one ready user `u` of `acme`.
    static func withUser(_ work: (Handoff, TokenMint, TestDatabase) async throws -> Void) async throws {
        try await Self.with(["acme": ["u"]], work)
    }

    /// Lends a handoff with these ready users of each tenant.
    static func with(
        _ users: [String: [String]], tokenRate: Double = 50,
        _ work: (Handoff, TokenMint, TestDatabase) async throws -> Void
    ) async throws {
        try await TestDatabase.with { database in
            let text = LocalKeyEncryptionKey.generate()
            let kek = try LocalKeyEncryptionKey(uri: "env:KEK", environment: { _ in text }, file: { _ in "" })
            let vault = Vault(keys: TenantKeys(pool: database.pool, kek: kek))
            for (tenant, users) in users {
                let tenant = try TenantID(tenant)
                try await database.insert(Ledger.tenant(tenant))
                for user in users {
                    try await Self.insert(UserKey(tenant: tenant, user: try UserID(user)), vault, database)
                }
            }
            let provider = TokenMint()
            let limits = ProviderLimits(pool: database.pool, tokenRate: tokenRate)
            try await work(
                Handoff(pool: database.pool, api: provider, vault: vault, limits: limits), provider, database)
        }
    }

    private static func insert(_ user: UserKey, _ vault: Vault, _ database: TestDatabase) async throws {
        let id = ProviderID(rawValue: "id-\(user.tenant)-\(user.user)")
        let sealed = try await vault.seal(
            Secret("sip-user"), .credential("sealed_username", of: user, generation: 1, id))
        try await database.insert(
            Ledger.user(user, status: .ready, readyAt: Date()), Ledger.credential(id, of: user, sealedUsername: sealed))
    }
}

extension Handoff {
    func token(
        at now: Date, wait: Duration = .zero, user: String = "u", of tenant: String = "acme"
    ) async throws -> HandedToken {
        let key = UserKey(tenant: try TenantID(tenant), user: try UserID(user))
        return try await self.loginToken(for: key, as: Reader(tenant: key.tenant), wait: wait, now: now)
    }
}

/// A provider that only mints login tokens. Each token is valid until 24 hours after noon.
final class TokenMint: TelephonyCredentialsAPI {
    private struct State {
        var calls = 0
        var minted = 0
        var failure: TelnyxFailure?
        var isHeld = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    /// Yields one element for each call.
    let arrivals: AsyncStream<Void>
    private let arrived: AsyncStream<Void>.Continuation

    init() { (self.arrivals, self.arrived) = AsyncStream.makeStream() }

    var calls: Int { self.state.withLock(\.calls) }

    /// The next call fails so.
    func fail(_ failure: TelnyxFailure) { self.state.withLock { $0.failure = failure } }

    /// No call returns until `release`.
    func hold() { self.state.withLock { $0.isHeld = true } }

    func release() {
        let waiting = self.state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.isHeld = false
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func token(_ id: ProviderID) async throws(TelnyxFailure) -> LoginToken {
        self.state.withLock { $0.calls += 1 }
        self.arrived.yield()
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let isHeld = self.state.withLock { state in
                if state.isHeld { state.waiting.append(continuation) }
                return state.isHeld
            }
            if !isHeld { continuation.resume() }
        }
        let result = self.state.withLock { state -> Result<LoginToken, TelnyxFailure> in
            defer { state.failure = nil }
            if let failure = state.failure { return .failure(failure) }
            state.minted += 1
            return .success(
                LoginToken(token: Secret("token-\(state.minted)"), expiresAt: HandoffBed.noon.addingTimeInterval(86400))
            )
        }
        return try result.get()
    }

    func create(_ request: CreateRequest) async -> CreateOutcome { .notSent("no create") }
    func list(_ query: ListQuery, page: Int) async throws(TelnyxFailure) -> CredentialPage {
        throw TelnyxFailure(.refused)
    }
    func retrieve(_ id: ProviderID) async throws(TelnyxFailure) -> TelephonyCredential { throw TelnyxFailure(.refused) }
    func delete(_ id: ProviderID) async throws(TelnyxFailure) -> ProviderTrace { throw TelnyxFailure(.refused) }
}
