// SPDX-License-Identifier: Apache-2.0
// A tenant that asks for many login tokens at once leaves other tenants theirs.

import Foundation
import Model
import ProviderLimits
import Synchronization
import Telnyx
import TestSupport
import Testing

@testable import Handoff

@Suite struct TenantShareTests {
    @Test func `a tenant above its rate is told when to come again, and another tenant gets its tokens`() async throws {
        let users = (1...30).map { "u-\($0)" }
        try await HandoffBed.with(["acme": users, "globex": ["g"]], tokenRate: 1) { handoff, provider, _ in
            var refusals: [HandoffError?] = []
            for user in users {
                do {
                    _ = try await handoff.token(at: HandoffBed.noon, user: user)
                } catch {
                    refusals.append(error as? HandoffError)
                }
            }
            #expect(!refusals.isEmpty && provider.calls == users.count - refusals.count, "what is refused is not sent")
            for refusal in refusals {
                guard case .tooManyTokens(let seconds) = refusal else {
                    Issue.record("\(String(describing: refusal))")
                    continue
                }
                #expect((1...2).contains(seconds))
            }
            _ = try await handoff.token(at: HandoffBed.noon, user: "g", of: "globex")
            let calls = provider.calls
            _ = try await handoff.token(at: HandoffBed.noon, user: users[0])
            #expect(provider.calls == calls, "a kept token costs nothing")
        }
    }

    @Test func `a tenant whose calls hang holds only its own share of them`() async throws {
        let most = ProviderLimits.maximumTokensUnderWay
        let users = (1...most + 1).map { "u-\($0)" }
        try await HandoffBed.with(["acme": users, "globex": ["g"]]) { handoff, provider, _ in
            provider.hold()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for user in users.prefix(most) {
                    group.addTask { _ = try await handoff.token(at: HandoffBed.noon, user: user) }
                }
                var arrived = 0
                for await _ in provider.arrivals {
                    arrived += 1
                    if arrived == most { break }
                }
                await #expect(throws: HandoffError.tooManyTokens(retryAfter: 2)) {
                    try await handoff.token(at: HandoffBed.noon, user: users[most])
                }
                group.addTask { _ = try await handoff.token(at: HandoffBed.noon, user: "g", of: "globex") }
                for await _ in provider.arrivals { break }
                provider.release()
                try await group.waitForAll()
            }
            #expect(provider.calls == most + 1)
            _ = try await handoff.token(at: HandoffBed.noon, user: users[most])
        }
    }

    // MARK: The cache

    @Test func `a full cache forgets the tenant's oldest token, and no other tenant's`() async throws {
        let cache = TokenCache(maximum: 100, maximumOfTenant: 5)
        let counter = MintCounter()
        try await counter.token(cache, "kept", "globex")
        for number in 1...20 { try await counter.token(cache, "u-\(number)", "acme") }
        #expect(counter.count == 21)
        for number in 16...20 { try await counter.token(cache, "u-\(number)", "acme") }
        try await counter.token(cache, "kept", "globex")
        #expect(counter.count == 21, "the last five of one tenant and the one of the other are kept")
        try await counter.token(cache, "u-1", "acme")
        #expect(counter.count == 22)
    }

    @Test func `a cache that is full for all forgets the oldest, and keeps the others`() async throws {
        let cache = TokenCache(maximum: 20, maximumOfTenant: 10)
        let counter = MintCounter()
        for number in 1...20 { try await counter.token(cache, "u-\(number)", "tenant-\(number)") }
        try await counter.token(cache, "u-21", "tenant-21")
        #expect(counter.count == 21)
        for number in 4...21 { try await counter.token(cache, "u-\(number)", "tenant-\(number)") }
        #expect(counter.count == 21)
        try await counter.token(cache, "u-1", "tenant-1")
        #expect(counter.count == 22)
    }

    @Test func `a token that is minted again counts once`() async throws {
        let cache = TokenCache(maximum: 100, maximumOfTenant: 2)
        let counter = MintCounter()
        try await counter.token(cache, "u-1", "acme")
        for day in 1...9 { try await counter.token(cache, "u-2", "acme", at: HandoffBed.noon + Double(day) * 86_400) }
        let before = counter.count
        try await counter.token(cache, "u-1", "acme")
        #expect(counter.count == before, "the other token was not pushed out")
    }
}

/// Asks a cache for tokens and counts the mints.
private final class MintCounter: Sendable {
    private let counted = Mutex(0)

    var count: Int { self.counted.withLock { $0 } }

    func token(_ cache: TokenCache, _ id: String, _ tenant: String, at now: Date = HandoffBed.noon) async throws {
        _ = try await cache.token(for: ProviderID(rawValue: id), of: try TenantID(tenant), now: now) {
            self.counted.withLock { $0 += 1 }
            return LoginToken(token: Secret("t"), expiresAt: now.addingTimeInterval(86_400))
        }
    }
}
