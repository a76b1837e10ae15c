// SPDX-License-Identifier: Apache-2.0
// One tenant's login tokens have a rate and a number under way, and neither costs another tenant anything.

import Synchronization
import TestSupport
import Testing

@testable import ProviderLimits

@Suite struct TokenPermitsTests {
    @Test func `a tenant may be four seconds ahead of its rate, and then waits for its turn`() async throws {
        try await TestDatabase.with { database in
            let limits = ProviderLimits(pool: database.pool, tokenRate: 10)
            let start = ContinuousClock.now
            for _ in 1...40 { #expect(Self.mint(limits, "acme", start) == .granted) }
            #expect(Self.mint(limits, "acme", start) == .wait(.milliseconds(100)))
            #expect(Self.mint(limits, "globex", start) == .granted, "another tenant has a rate of its own")
            #expect(Self.mint(limits, "acme", start + .milliseconds(100)) == .granted)
            #expect(Self.mint(limits, "acme", start + .milliseconds(100)) == .wait(.milliseconds(100)))
            // What an idle tenant did not use is not saved up.
            let later = start + .seconds(3600)
            for _ in 1...40 { #expect(Self.mint(limits, "acme", later) == .granted) }
            #expect(Self.mint(limits, "acme", later) != .granted)
        }
    }

    @Test func `a tenant has only so many tokens under way`() async throws {
        try await TestDatabase.with { database in
            let limits = ProviderLimits(pool: database.pool, tokenRate: 1000)
            for _ in 1...ProviderLimits.maximumTokensUnderWay {
                #expect(limits.takeTokenPermit(for: "acme") == .granted)
            }
            #expect(limits.takeTokenPermit(for: "acme") == .wait(.seconds(1)))
            #expect(limits.takeTokenPermit(for: "globex") == .granted)
            limits.returnTokenPermit(for: "acme")
            #expect(limits.takeTokenPermit(for: "acme") == .granted)
        }
    }

    @Test func `idle tenants are forgotten, and calls under way are not`() async throws {
        try await TestDatabase.with { database in
            let limits = ProviderLimits(pool: database.pool)
            let start = ContinuousClock.now
            #expect(limits.takeTokenPermit(for: "busy", now: start) == .granted)
            for number in 1...5000 { _ = Self.mint(limits, "tenant-\(number)", start + .seconds(number)) }
            #expect(limits.mints.withLock { $0.tenants.count } <= 2000)
            let later = start + .seconds(6000)
            for _ in 1..<ProviderLimits.maximumTokensUnderWay {
                #expect(limits.takeTokenPermit(for: "busy", now: later) == .granted)
            }
            #expect(limits.takeTokenPermit(for: "busy", now: later) != .granted, "the first is still under way")
        }
    }

    /// Takes a permit, and gives it back if it was granted: the call has ended.
    private static func mint(
        _ limits: ProviderLimits, _ tenant: String, _ now: ContinuousClock.Instant
    ) -> Permission {
        let permission = limits.takeTokenPermit(for: tenant, now: now)
        if permission == .granted { limits.returnTokenPermit(for: tenant, now: now) }
        return permission
    }
}
