// SPDX-License-Identifier: Apache-2.0
// Pauses and breakers hold for every node at once, and end when their time is over or a call succeeds.

import Foundation
import Postgres
import ProviderLimits
import TestSupport
import Testing

@Suite struct ProviderLimitsTests {
    @Test func `a pause holds for every node and is only ever extended`() async throws {
        try await TestDatabase.with { database in
            let (here, there) = (ProviderLimits(pool: database.pool), ProviderLimits(pool: database.pool))
            await here.pause(.creates, for: .seconds(100))
            await there.pause(.creates, for: .seconds(1))
            for node in [here, there] {
                let isOpen = try await node.allows(.creates)
                #expect(!isOpen)
                #expect(await node.takePermits(64) == 0)
            }
            let left = try await database.admin.query(
                "select extract(epoch from paused_until - now())::float8 from dialtone.provider_limits"
            ).first?.decode(Double.self)
            #expect((left ?? 0) > 90)
        }
    }

    @Test func `the breaker of one connection does not stop the other connections`() async throws {
        try await TestDatabase.with { database in
            let (here, there) = (ProviderLimits(pool: database.pool), ProviderLimits(pool: database.pool))
            await here.openBreaker(.connection("7"), reason: "HTTP 403")
            #expect(await there.takePermits(64) == 64)
            #expect(await there.takePermit(for: "7").wait > .seconds(20))
            #expect(await there.takePermit(for: "8") == .granted)
        }
    }

    /// The first probe is one create of one node. Each probe that succeeds doubles the next, until the breaker closes.
    @Test func `a breaker closes by probes of 1, 2, 4 and more creates on one node`() async throws {
        try await TestDatabase.with { database in
            await ProviderLimits(pool: database.pool).openBreaker(.account, reason: "HTTP 401")
            try await database.admin.script("update dialtone.provider_limits set probe_until = now()")
            for allowed in [1, 2, 4, 8, 16, 32] {
                let (winner, other) = (ProviderLimits(pool: database.pool), ProviderLimits(pool: database.pool))
                #expect(await winner.takePermits(64) == allowed)
                #expect(await other.takePermits(64) == 0, "one node has the probe")
                #expect(await winner.takePermits(64) == 0, "and no more of it than it may")
                for _ in 1...allowed { await winner.succeeded(connection: "7") }
            }
            #expect(await ProviderLimits(pool: database.pool).takePermits(64) == 64)
        }
    }

    @Test func `a probe whose node has died passes to any other node`() async throws {
        try await TestDatabase.with { database in
            let (dead, heir) = (ProviderLimits(pool: database.pool), ProviderLimits(pool: database.pool))
            await dead.openBreaker(.account, reason: "HTTP 401")
            try await database.admin.script("update dialtone.provider_limits set probe_until = now()")
            #expect(await dead.takePermits(64) == 1)
            #expect(await heir.takePermits(64) == 0)
            try await database.admin.script("update dialtone.provider_limits set probe_until = now()")
            #expect(await ProviderLimits(pool: database.pool).takePermits(64) == 1)
        }
    }

    @Test func `a failed probe opens the breaker again and restarts with one create`() async throws {
        try await TestDatabase.with { database in
            let limits = ProviderLimits(pool: database.pool)
            await limits.openBreaker(.connection("7"), reason: "HTTP 403")
            try await database.admin.script(
                "update dialtone.provider_limits set probe_until = now(), allowance = 8, breaker = 'half_open'")
            let next = ProviderLimits(pool: database.pool)
            #expect(await next.takePermit(for: "7") == .granted)
            await next.openBreaker(.connection("7"), reason: "HTTP 403")
            #expect(await next.takePermit(for: "7").wait > .seconds(20))
            let ones = try await database.admin.query("select 1 from dialtone.provider_limits where allowance = 1")
            #expect(ones.count == 1, "it begins anew with one create")
        }
    }

    @Test func `the same rejection for three users in a row opens their tenant's breaker alone`() async throws {
        try await TestDatabase.with { database in
            let (here, there) = (ProviderLimits(pool: database.pool), ProviderLimits(pool: database.pool))
            #expect(await here.rejected(tenant: "7", code: "10013", user: "a") == nil)
            #expect(await here.rejected(tenant: "7", code: "10013", user: "a") == nil, "the same user twice is one")
            #expect(await there.rejected(tenant: "7", code: "10013", user: "b") == nil)
            _ = try await there.allows(.creates)
            await there.succeeded(connection: "1", tenant: "7")
            #expect(await here.rejected(tenant: "7", code: "10013", user: "c") == nil, "a success ended the row")
            #expect(await there.rejected(tenant: "7", code: "10013", user: "d") == nil)
            #expect(await here.rejected(tenant: "7", code: "10013", user: "e") == ProviderLimits.coolDown)
            #expect(await there.takePermit(for: "1", of: "7") != .granted)
            #expect(await there.takePermit(for: "1", of: "8") == .granted, "they share the connection")
        }
    }

    @Test func `all nodes share one rate`() async throws {
        try await TestDatabase.with { database in
            let (here, there) = (ProviderLimits(pool: database.pool), ProviderLimits(pool: database.pool))
            try await here.setRate(100)
            let start = ContinuousClock.now
            var granted = 0
            for node in [here, there, here, there] { granted += await node.takePermits(64) }
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            // The queue gets four fifths of 100 a second, at most one second ahead. Recovery keeps the other fifth.
            #expect(granted >= 80 && Double(granted) <= 80 + 80 * seconds + 1)
        }
    }

    /// The queue takes all it may. A create that a look has permitted still finds its place.
    @Test func `recovery keeps its fifth of the rate beside a queue that takes all it may`() async throws {
        try await TestDatabase.with { database in
            let limits = ProviderLimits(pool: database.pool)
            try await limits.setRate(1)
            while await limits.takePermits(64) > 0 {}
            let start = ContinuousClock.now
            #expect(await limits.takeRecoveryPermit())
            var granted = 1
            for _ in 1...20 where await limits.takeRecoveryPermit() { granted += 1 }
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            #expect(
                Double(granted) <= 1 + seconds, "it has a rate too: a fifth of one a second, and what the queue leaves")
        }
    }

    /// Both ask all the time, recovery more often. Each gets its own share, and together they stay within the rate.
    @Test func `neither the queue nor recovery takes the other's share of the rate`() async throws {
        try await TestDatabase.with { database in
            let limits = ProviderLimits(pool: database.pool)
            try await limits.setRate(100)
            while await limits.takePermits(64) > 0 {}
            while await limits.takeRecoveryPermit() {}
            let start = ContinuousClock.now
            var (queue, recovery, rounds) = (0, 0, 0.0)
            while ContinuousClock.now < start + .seconds(2) {
                for _ in 1...8 where await limits.takeRecoveryPermit() { recovery += 1 }
                queue += await limits.takePermits(64)
                rounds += 1
            }
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            // A slow machine asks less often, and gets no more than it asks for. The first round meets an empty budget.
            let (mostOfQueue, mostOfRecovery) = (min(72 * seconds, 60 * rounds) - 64, min(18 * seconds, 6 * rounds) - 8)
            #expect(Double(queue) >= mostOfQueue && Double(recovery) >= mostOfRecovery, "\(queue), \(recovery)")
            #expect(Double(queue + recovery) <= 100 * seconds + 101, "\(queue) and \(recovery) in \(seconds) s")
        }
    }

    @Test func `permits that recovery gives back cost nobody anything`() async throws {
        try await TestDatabase.with { database in
            let limits = ProviderLimits(pool: database.pool)
            try await limits.setRate(10)
            _ = try await database.admin.query("select set_config('test.start', clock_timestamp()::text, false)")
            for _ in 1...20 {
                #expect(await limits.takeRecoveryPermit())
                await limits.returnPermits(1, of: .recovery)
            }
            let isExact = try await database.admin.query(
                """
                select coalesce(next_due >= start, true) and recovery_next_due between start and clock_timestamp()
                from dialtone.provider_limits,
                     (select current_setting('test.start')::timestamptz as start) as test
                """
            ).first?.decode(Bool.self)
            #expect(isExact == true, "neither more nor less than was taken")
        }
    }

    @Test func `each connection has its own rate, and its waiting creates line up`() async throws {
        try await TestDatabase.with { database in
            let limits = ProviderLimits(pool: database.pool)
            try await limits.setRate(0.01, for: .connection("7"))
            #expect(await limits.takePermits(64) == 64, "the account has no limit")
            var waits: [Duration] = []
            for _ in 1...10 {
                if case .wait(let wait) = await limits.takePermit(for: "7") { waits.append(wait) }
                #expect(await limits.takePermit(for: "8") == .granted)
            }
            #expect(waits.count == 9)
            #expect(zip(waits, waits.dropFirst()).allSatisfy { $0 < $1 } && waits[0] > .milliseconds(900))
        }
    }

    @Test func `unused permits are given back`() async throws {
        try await TestDatabase.with { database in
            let limits = ProviderLimits(pool: database.pool)
            try await limits.setRate(10)
            #expect(await limits.takePermits(64) { false } == 0, "without work nothing is taken")
            for _ in 1...20 {
                let granted = await limits.takePermits(64)
                #expect(granted >= 8)
                await limits.returnPermits(granted)
            }
        }
    }

    /// This is the hot path. A statement would be held up by the locked table.
    @Test(.timeLimit(.minutes(10))) func `a success costs no statement while nothing is stopped`() async throws {
        try await TestDatabase.with { database in
            let limits = ProviderLimits(pool: database.pool)
            #expect(await limits.takePermits(64) == 64)
            try await database.admin.script("begin; lock table dialtone.provider_limits")
            for _ in 1...100 { await limits.succeeded(connection: "7") }
            try await database.admin.script("rollback")
        }
    }
}

extension Permission {
    fileprivate var wait: Duration {
        switch self {
        case .granted: .zero
        case .wait(let duration): duration
        }
    }
}
