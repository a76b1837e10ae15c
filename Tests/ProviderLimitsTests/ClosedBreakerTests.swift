// SPDX-License-Identifier: Apache-2.0
// A breaker whose trouble is over closes, also where few users sign up, and somebody is told.

import Foundation
import Postgres
import ProviderLimits
import Synchronization
import TestSupport
import Testing

@Suite struct ClosedBreakerTests {
    /// What was told, scope by scope.
    private final class Told: Sendable {
        private let heard = Mutex<[String]>([])
        var scopes: [String] { self.heard.withLock { $0 } }
        func add(_ scope: String) { self.heard.withLock { $0.append(scope) } }
    }

    /// Lends a breaker that is half open after one create that worked, as long ago as is said.
    private static func withProbed(
        _ scope: LimitScope, secondsAgo: Int, _ work: (ProviderLimits, Told, TestDatabase) async throws -> Void
    ) async throws {
        try await TestDatabase.with { database in
            let told = Told()
            let limits = ProviderLimits(pool: database.pool) { told.add($0) }
            await limits.openBreaker(scope, reason: "HTTP 403")
            try await database.admin.script("update dialtone.provider_limits set probe_until = now()")
            _ = await limits.takePermits(1)
            _ = await limits.takePermit(for: "7")
            await limits.succeeded(connection: "7")
            #expect(try await limits.list().map(\.breaker) == ["half_open"])
            #expect(told.scopes.isEmpty)
            try await database.admin.script(
                "update dialtone.provider_limits set probe_until = probe_until - interval '\(secondsAgo) seconds'")
            try await work(limits, told, database)
        }
    }

    @Test(arguments: [LimitScope.account, .connection("7")])
    func `a minute after a create that worked it closes, and one node tells it once`(scope: LimitScope) async throws {
        try await Self.withProbed(scope, secondsAgo: 61) { limits, told, database in
            await limits.closeProven()
            await limits.closeProven()
            await ProviderLimits(pool: database.pool) { told.add($0) }.closeProven()
            #expect(told.scopes == [scope == .account ? "account" : "connection:7"])
            let left = try await limits.list()
            #expect(left.isEmpty)
            #expect(await limits.takePermits(64) == 64)
        }
    }

    @Test func `within the minute it stays half open`() async throws {
        try await Self.withProbed(.connection("7"), secondsAgo: 30) { limits, told, _ in
            await limits.closeProven()
            #expect(told.scopes.isEmpty)
            let left = try await limits.list().map(\.breaker)
            #expect(left == ["half_open"])
        }
    }

    @Test func `a refusal since then keeps it open, however long ago`() async throws {
        try await Self.withProbed(.connection("7"), secondsAgo: 0) { limits, told, database in
            await limits.openBreaker(.connection("7"), reason: "HTTP 403")
            try await database.admin.script(
                "update dialtone.provider_limits set probe_until = now() - interval '1 hour'")
            await limits.closeProven()
            #expect(told.scopes.isEmpty)
            #expect(try await limits.list().map(\.breaker) == ["open"])
            // The next probe is under way and nobody knows its end.
            #expect(await limits.takePermit(for: "7") == .granted)
            try await database.admin.script(
                "update dialtone.provider_limits set probe_until = now() - interval '1 hour'")
            await limits.closeProven()
            #expect(told.scopes.isEmpty)
        }
    }

    @Test func `creates that double the allowance to its end close it and tell it`() async throws {
        try await TestDatabase.with { database in
            let told = Told()
            await ProviderLimits(pool: database.pool).openBreaker(.connection("7"), reason: "HTTP 403")
            try await database.admin.script("update dialtone.provider_limits set probe_until = now()")
            for _ in 1...6 {
                let limits = ProviderLimits(pool: database.pool) { told.add($0) }
                #expect(await limits.takePermit(for: "7") == .granted)
                await limits.succeeded(connection: "7")
            }
            #expect(told.scopes == ["connection:7"])
        }
    }

    @Test func `a look that works with the mended key closes the account's breaker and tells it`() async throws {
        try await TestDatabase.with { database in
            let told = Told()
            let limits = ProviderLimits(pool: database.pool) { told.add($0) }
            await limits.openBreaker(.account, reason: "HTTP 401")
            _ = try await limits.allows(.creates)
            await limits.authenticated()
            await limits.authenticated()
            #expect(told.scopes == ["account"])
        }
    }
}
