// SPDX-License-Identifier: Apache-2.0
// A 429 pauses the kind of call that met it: tokens, the calls of jobs, or the sweep.

import Postgres
import ProviderLimits
import TestSupport
import Testing

@Suite struct PausesOfKindsTests {
    @Test(
        arguments: [
            (.tokens, [.creates, .looks, .deletes, .sweep]), (.creates, [.tokens]), (.looks, [.tokens]),
            (.deletes, [.tokens]), (.sweep, [.tokens, .creates, .looks, .deletes]),
        ] as [(CallKind, [CallKind])])
    func `a pause of creates, looks or deletes stops all three and the sweep, any other its own kind alone`(
        paused: CallKind, going: [CallKind]
    ) async throws {
        try await TestDatabase.with { database in
            await ProviderLimits(pool: database.pool).pause(paused, for: .seconds(100))
            let node = ProviderLimits(pool: database.pool)
            for kind in CallKind.allCases {
                let isAllowed = try await node.allows(kind)
                #expect(isAllowed == going.contains(kind), "\(kind)")
                let isPermitted = await node.permit(kind) == .granted
                #expect(isPermitted == going.contains(kind), "\(kind)")
            }
            let areCreatesGoing = going.contains(.creates)
            #expect(
                await node.takePermits(64) == (areCreatesGoing ? 64 : 0), "nothing is claimed in a pause of creates")
            #expect(await node.takeRecoveryPermit() == areCreatesGoing)
            #expect(await node.takePermit(for: "7") == .granted, "no connection has met a 429")
        }
    }

    @Test func `a pause that a clock going back has made too long is cut to the longest there is`() async throws {
        try await TestDatabase.with { database in
            let limits = ProviderLimits(pool: database.pool)
            await limits.pause(.tokens, for: .seconds(7200))
            await limits.pause(.sweep, for: .seconds(1200))
            _ = try await database.pool.query(ProviderLimits.cutPauses)
            let waits = try await limits.list().map { ($0.waitSeconds ?? 0) / 300 }
            #expect(waits.map { $0.rounded(.up) } == [4, 3], "the sweep's 20 minutes may be true")
        }
    }

    @Test func `a breaker whose probe a clock going back has put far ahead may be probed soon`() async throws {
        try await TestDatabase.with { database in
            let limits = ProviderLimits(pool: database.pool)
            await limits.openBreaker(.account, reason: "HTTP 401")
            try await database.admin.script(
                "update dialtone.provider_limits set probe_until = probe_until + interval '1 hour'")
            _ = try await database.pool.query(ProviderLimits.cutPauses)
            let wait = try await ProviderLimits(pool: database.pool).list().first?.waitSeconds ?? 0
            #expect(wait > 0 && wait <= 30)
        }
    }

    @Test func `a paused kind tells how long it waits, and is in the list of limits`() async throws {
        try await TestDatabase.with { database in
            let limits = ProviderLimits(pool: database.pool)
            await limits.pause(.tokens, for: .seconds(100))
            await limits.pause(.sweep, for: .seconds(900), because: "no witness")
            let wait = try await limits.wait(for: .tokens)
            #expect((Duration.seconds(80)...Duration.seconds(100)).contains(wait ?? .zero))
            let list = try await limits.list()
            #expect(list.map(\.scope) == ["kind:sweep", "kind:tokens"])
            #expect(list.map(\.reason) == ["no witness", nil])
            #expect(list.allSatisfy { $0.breaker == "closed" && $0.rate == nil && ($0.waitSeconds ?? 0) > 80 })
        }
    }

    @Test func `the account's breaker stops every kind until its first probe`() async throws {
        try await TestDatabase.with { database in
            let limits = ProviderLimits(pool: database.pool)
            await limits.openBreaker(.account, reason: "HTTP 401")
            for kind in CallKind.allCases {
                let wait = try await limits.wait(for: kind)
                #expect((wait ?? .zero) > .seconds(20), "\(kind)")
            }
            try await database.admin.script("update dialtone.provider_limits set probe_until = now()")
            let isAllowed = try await ProviderLimits(pool: database.pool).allows(.tokens)
            #expect(isAllowed)
        }
    }
}
