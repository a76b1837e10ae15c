// SPDX-License-Identifier: Apache-2.0
// Pauses and breakers hold for every node at once, are only ever extended, and end by themselves or by a call that works.

import Foundation
import Postgres
import ProviderLimits
import TestSupport
import Testing

@Suite struct ProviderLimitsTests {
    @Test func aPauseHoldsForEveryNodeAndIsOnlyExtended() async throws {
        try await TestDatabase.with { database in
            let (here, there) = (ProviderLimits(pool: database.pool), ProviderLimits(pool: database.pool))
            await here.pause(.account, for: .seconds(100))
            await there.pause(.account, for: .seconds(1))
            #expect(try await here.gate().isOpen == false)
            #expect(try await there.gate().isOpen == false)
            let left = try await database.admin.query(
                "select extract(epoch from paused_until - now())::float8 from dialtone.provider_limits"
            ).first?.decode(Double.self)
            #expect((left ?? 0) > 90)
        }
    }

    @Test func oneConnectionsBreakerLeavesTheAccountOpenAndClosesWhenACallWorks() async throws {
        try await TestDatabase.with { database in
            let (here, there) = (ProviderLimits(pool: database.pool), ProviderLimits(pool: database.pool))
            await here.stop(.connection("7"), reason: "HTTP 403")
            let gate = try await there.gate()
            #expect(gate.isOpen && gate.stoppedConnections == ["7"])
            await here.succeeded(connection: "7")
            #expect(try await here.gate().stoppedConnections.isEmpty)
        }
    }

    @Test func anAccountsBreakerStopsAllUntilItsProbe() async throws {
        try await TestDatabase.with { database in
            let limits = ProviderLimits(pool: database.pool)
            await limits.stop(.account, reason: "HTTP 401")
            #expect(try await limits.gate().isOpen == false)
            try await database.admin.script("update dialtone.provider_limits set probe_until = now()")
            #expect(try await ProviderLimits(pool: database.pool).gate().isOpen, "someone must find out")
        }
    }

    /// The hot path: while nothing is stopped, a success may not cost a statement. The locked table would hold one up.
    @Test(.timeLimit(.minutes(1))) func whileNothingIsStoppedASuccessCostsNoStatement() async throws {
        try await TestDatabase.with { database in
            let limits = ProviderLimits(pool: database.pool)
            await limits.succeeded(connection: "7")
            #expect(try await limits.gate().isOpen)
            try await database.admin.script("begin; lock table dialtone.provider_limits")
            for _ in 1...100 { await limits.succeeded(connection: "7") }
            try await database.admin.script("rollback")
        }
    }
}
