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
            // A slice has ten calls, and one of them is kept for a login token.
            #expect(granted >= 9 && Double(granted) <= 20 + 100 * seconds)
        }
    }

    /// The queue takes all it may. A create that a look has permitted still finds its place.
    @Test func `a create that a look has permitted has the looks' share beside a queue that takes all it may`()
        async throws
    {
        try await TestDatabase.with { database in
            let (queue, recovery) = (ProviderLimits(pool: database.pool), ProviderLimits(pool: database.pool))
            try await queue.setRate(1)
            while await queue.takePermits(64) > 0 {}
            #expect(await recovery.takeRecoveryPermit())
        }
    }

    @Test func `permits that recovery gives back cost nobody anything`() async throws {
        try await TestDatabase.with { database in
            try await ProviderLimits(pool: database.pool).setRate(1)
            for _ in 1...20 {
                let node = ProviderLimits(pool: database.pool)
                #expect(await node.takeRecoveryPermit())
                await node.returnPermits(1, of: .looks)
            }
            let spent = try await database.admin.query(
                """
                select coalesce(sum(granted[3]), 0)::bigint, coalesce(sum(asked[3]), 0)::bigint
                from dialtone.provider_budget
                """
            ).first?.decode(Int64.self, Int64.self)
            // A permit whose slice ends before it comes back is lost.
            #expect((spent?.0 ?? 9) <= 1 && (spent?.1 ?? 9) <= 1)
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
            // One goes at once; so does another in the one slice of ten that has a call.
            #expect((8...9).contains(waits.count))
            #expect(zip(waits, waits.dropFirst()).allSatisfy { $0 < $1 } && waits.first ?? .zero > .milliseconds(900))
        }
    }

    @Test func `unused permits are given back`() async throws {
        try await TestDatabase.with { database in
            let limits = ProviderLimits(pool: database.pool)
            try await limits.setRate(10)
            #expect(await limits.takePermits(64) { false } == 0, "without work nothing is taken")
            for _ in 1...20 {
                let node = ProviderLimits(pool: database.pool)
                let granted = await node.takePermits(64)
                #expect(granted == 4, "a slice has five, and one is kept for a login token")
                await node.returnPermits(granted)
            }
        }
    }

    /// A statement would be held up by the locked table.
    @Test(.timeLimit(.minutes(10))) func `a permit costs no statement where no rate is known`() async throws {
        try await TestDatabase.with { database in
            let limits = ProviderLimits(pool: database.pool)
            #expect(await limits.permit(.looks) == .granted)
            try await database.admin.script("begin; lock table dialtone.provider_budget")
            for kind in CallKind.allCases {
                #expect(await limits.permit(kind) == .granted)
            }
            try await database.admin.script("rollback")
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
