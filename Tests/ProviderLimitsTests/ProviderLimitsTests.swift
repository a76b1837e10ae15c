// SPDX-License-Identifier: Apache-2.0
// Pauses and breakers hold for every node at once, are only ever extended, and end by themselves or by a call that
// works.

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
            for node in [here, there] {
                let isOpen = try await node.isOpen()
                #expect(!isOpen)
                #expect(await node.room(for: 64) == 0)
            }
            let left = try await database.admin.query(
                "select extract(epoch from paused_until - now())::float8 from dialtone.provider_limits"
            ).first?.decode(Double.self)
            #expect((left ?? 0) > 90)
        }
    }

    @Test func oneConnectionsBreakerLeavesTheOthersAlone() async throws {
        try await TestDatabase.with { database in
            let (here, there) = (ProviderLimits(pool: database.pool), ProviderLimits(pool: database.pool))
            await here.stop(.connection("7"), reason: "HTTP 403")
            #expect(await there.room(for: 64) == 64)
            #expect(await there.wait(for: "7") ?? .zero > .seconds(20))
            #expect(await there.wait(for: "8") == nil)
        }
    }

    /// The probe is one create of one node; each probe that works doubles the next, until the breaker closes.
    @Test func aBreakerOpensAgainByOneTwoFourCreates() async throws {
        try await TestDatabase.with { database in
            await ProviderLimits(pool: database.pool).stop(.account, reason: "HTTP 401")
            try await database.admin.script("update dialtone.provider_limits set probe_until = now()")
            for allowed in [1, 2, 4, 8, 16, 32] {
                let (winner, other) = (ProviderLimits(pool: database.pool), ProviderLimits(pool: database.pool))
                #expect(await winner.room(for: 64) == allowed)
                #expect(await other.room(for: 64) == 0, "one node has the probe")
                #expect(await winner.room(for: 64) == 0, "and no more of it than it may")
                for _ in 1...allowed { await winner.succeeded(connection: "7") }
            }
            #expect(await ProviderLimits(pool: database.pool).room(for: 64) == 64)
        }
    }

    @Test func aProbeWhoseHolderDiesIsTakenOverByAnyone() async throws {
        try await TestDatabase.with { database in
            let (dead, heir) = (ProviderLimits(pool: database.pool), ProviderLimits(pool: database.pool))
            await dead.stop(.account, reason: "HTTP 401")
            try await database.admin.script("update dialtone.provider_limits set probe_until = now()")
            #expect(await dead.room(for: 64) == 1)
            #expect(await heir.room(for: 64) == 0)
            try await database.admin.script("update dialtone.provider_limits set probe_until = now()")
            #expect(await ProviderLimits(pool: database.pool).room(for: 64) == 1)
        }
    }

    @Test func aProbeThatFailsShutsTheBreakerAgain() async throws {
        try await TestDatabase.with { database in
            let limits = ProviderLimits(pool: database.pool)
            await limits.stop(.connection("7"), reason: "HTTP 403")
            try await database.admin.script(
                "update dialtone.provider_limits set probe_until = now(), allowance = 8, breaker = 'half_open'")
            let next = ProviderLimits(pool: database.pool)
            #expect(await next.wait(for: "7") == nil)
            await next.stop(.connection("7"), reason: "HTTP 403")
            #expect(await next.wait(for: "7") ?? .zero > .seconds(20))
            let ones = try await database.admin.query("select 1 from dialtone.provider_limits where allowance = 1")
            #expect(ones.count == 1, "it begins anew with one create")
        }
    }

    @Test func theSameCodeForThreeUsersInARowIsTheTenantsFault() async throws {
        try await TestDatabase.with { database in
            let (here, there) = (ProviderLimits(pool: database.pool), ProviderLimits(pool: database.pool))
            #expect(await here.rejected(connection: "7", code: "10013", user: "a") == nil)
            #expect(await here.rejected(connection: "7", code: "10013", user: "a") == nil, "the same user twice is one")
            #expect(await there.rejected(connection: "7", code: "10013", user: "b") == nil)
            _ = try await there.isOpen()
            await there.succeeded(connection: "7")
            #expect(await here.rejected(connection: "7", code: "10013", user: "c") == nil, "a success ended the row")
            #expect(await there.rejected(connection: "7", code: "10013", user: "d") == nil)
            #expect(await here.rejected(connection: "7", code: "10013", user: "e") == ProviderLimits.coolDown)
            #expect(await there.wait(for: "7") != nil)
            #expect(await there.wait(for: "8") == nil)
        }
    }

    @Test func theRateIsSharedByAllNodes() async throws {
        try await TestDatabase.with { database in
            let (here, there) = (ProviderLimits(pool: database.pool), ProviderLimits(pool: database.pool))
            try await here.setRate(100)
            let start = ContinuousClock.now
            var granted = 0
            for node in [here, there, here, there] { granted += await node.room(for: 64) }
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            // Four fifths of a hundred a second, one second ahead; a fifth is left for recovery.
            #expect(granted >= 80 && Double(granted) <= 80 + 80 * seconds + 1)
        }
    }

    /// A queue that takes all it may leaves a create that a look has permitted its place.
    @Test func recoveryHasItsShareBesideAQueueThatTakesAll() async throws {
        try await TestDatabase.with { database in
            let limits = ProviderLimits(pool: database.pool)
            try await limits.setRate(1)
            while await limits.room(for: 64) > 0 {}
            let start = ContinuousClock.now
            #expect(await limits.hasRoomToRecover())
            var granted = 1
            for _ in 1...20 where await limits.hasRoomToRecover() { granted += 1 }
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            #expect(
                Double(granted) <= 1 + seconds, "it has a rate too: a fifth of one a second, and what the queue leaves")
        }
    }

    /// Both ask all the time, recovery more often; each gets what is its own, and no more goes than the rate.
    @Test func neitherTheQueueNorRecoveryTakesWhatIsTheOthers() async throws {
        try await TestDatabase.with { database in
            let limits = ProviderLimits(pool: database.pool)
            try await limits.setRate(100)
            while await limits.room(for: 64) > 0 {}
            while await limits.hasRoomToRecover() {}
            let start = ContinuousClock.now
            var (queue, recovery, rounds) = (0, 0, 0.0)
            while ContinuousClock.now < start + .seconds(2) {
                for _ in 1...8 where await limits.hasRoomToRecover() { recovery += 1 }
                queue += await limits.room(for: 64)
                rounds += 1
            }
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            // On a machine that is slow to ask, no more than was asked for; the first round comes to an empty budget.
            let (mostOfQueue, mostOfRecovery) = (min(72 * seconds, 60 * rounds) - 64, min(18 * seconds, 6 * rounds) - 8)
            #expect(Double(queue) >= mostOfQueue && Double(recovery) >= mostOfRecovery, "\(queue), \(recovery)")
            #expect(Double(queue + recovery) <= 100 * seconds + 101, "\(queue) and \(recovery) in \(seconds) s")
        }
    }

    @Test func whatRecoveryDoesNotUseCostsNobodyAnything() async throws {
        try await TestDatabase.with { database in
            let limits = ProviderLimits(pool: database.pool)
            try await limits.setRate(10)
            _ = try await database.admin.query("select set_config('test.start', clock_timestamp()::text, false)")
            for _ in 1...20 {
                #expect(await limits.hasRoomToRecover())
                await limits.unused(1, of: .recovery)
            }
            let isExact = try await database.admin.query(
                """
                select coalesce(tat >= start, true) and recovery_tat between start and clock_timestamp()
                from dialtone.provider_limits, (select current_setting('test.start')::timestamptz as start) s
                """
            ).first?.decode(Bool.self)
            #expect(isExact == true, "neither more nor less than was taken")
        }
    }

    @Test func aConnectionsRateIsItsOwnAndThoseWhoWaitLineUp() async throws {
        try await TestDatabase.with { database in
            let limits = ProviderLimits(pool: database.pool)
            try await limits.setRate(0.01, for: .connection("7"))
            #expect(await limits.room(for: 64) == 64, "the account has no limit")
            var waits: [Duration] = []
            for _ in 1...10 {
                if let wait = await limits.wait(for: "7") { waits.append(wait) }
                #expect(await limits.wait(for: "8") == nil)
            }
            #expect(waits.count == 9)
            #expect(zip(waits, waits.dropFirst()).allSatisfy { $0 < $1 } && waits[0] > .milliseconds(900))
        }
    }

    @Test func whatIsNotUsedIsGivenBack() async throws {
        try await TestDatabase.with { database in
            let limits = ProviderLimits(pool: database.pool)
            try await limits.setRate(10)
            #expect(await limits.room(for: 64) { false } == 0, "without work nothing is taken")
            for _ in 1...20 {
                let granted = await limits.room(for: 64)
                #expect(granted >= 8)
                await limits.unused(granted)
            }
        }
    }

    /// The hot path: while nothing is stopped, a success may not cost a statement. The locked table would hold one up.
    @Test(.timeLimit(.minutes(3))) func whileNothingIsStoppedASuccessCostsNoStatement() async throws {
        try await TestDatabase.with { database in
            let limits = ProviderLimits(pool: database.pool)
            #expect(await limits.room(for: 64) == 64)
            try await database.admin.script("begin; lock table dialtone.provider_limits")
            for _ in 1...100 { await limits.succeeded(connection: "7") }
            try await database.admin.script("rollback")
        }
    }
}
