// SPDX-License-Identifier: Apache-2.0
// The rate that the provider tells holds for every node, while no rate is set.

import Postgres
import TestSupport
import Testing

@testable import ProviderLimits

@Suite struct LearnedRateTests {
    private static func told(_ remaining: Int, of limit: Int = 100, _ kind: CallKind = .creates) -> LimitNews {
        LimitNews(
            kind: kind, told: .init(limit: limit, remaining: remaining, reset: .seconds(30)),
            isSilentRefusal: false)
    }

    private static let silent = LimitNews(kind: .creates, told: nil, isSilentRefusal: true)
    private static let nothing = LimitNews(kind: .creates, told: nil, isSilentRefusal: false)

    @Test func `what remains of a limit is spread over the time to its reset, once less than half remains`() {
        let start = ContinuousClock.now
        var heard = HeardReplies(now: start)
        heard.note(Self.told(50), now: start)
        #expect(heard.take(now: start) == nil)
        heard.note(Self.told(40), now: start)
        #expect(heard.take(now: start) == .told(1.2, limit: 100, until: .seconds(30)))
        heard.note(Self.told(30), now: start)
        #expect(heard.take(now: start + .milliseconds(900)) == nil, "once a second at most")
        #expect(heard.take(now: start + .seconds(1)) == .told(0.9, limit: 100, until: .seconds(30)))
    }

    @Test func `a 429 that says nothing halves the rate of the last ten seconds`() {
        let start = ContinuousClock.now
        var heard = HeardReplies(now: start)
        for second in 0..<30 {
            for _ in 1...4 { heard.note(Self.nothing, now: start + .seconds(second)) }
        }
        heard.note(Self.silent, now: start + .seconds(29))
        #expect(heard.take(now: start + .seconds(29)) == .halved(calls: 41))
    }

    @Test func `a told rate reaches every node, and kinds that are told the same limit share a budget`() async throws {
        try await TestDatabase.with { database in
            let (here, there) = (ProviderLimits(pool: database.pool), ProviderLimits(pool: database.pool))
            here.heard(Self.told(40))
            here.heard(Self.told(30, .looks))
            here.heard(Self.told(20, .tokens))
            #expect(await here.permit(.tokens) == .granted)
            let known = try await there.know()
            #expect(known.budget(of: .tokens) == BudgetScope(key: "told:100", rate: 0.6))
            #expect(CallKind.allCases.allSatisfy { known.budget(of: $0) == known.budget(of: .tokens) })
            let list = try await there.list()
            #expect(list.map(\.scope) == ["kind:jobs", "kind:sweep", "kind:tokens"])
            #expect(list.map(\.learnedRate) == [1.2, 0.9, 0.6])
            here.heard(Self.told(45, of: 200, .tokens), now: .now + .seconds(1))
            await here.writeLearnedRates(now: .now + .seconds(2))
            #expect(try await here.know().budget(of: .tokens)?.key == "told:200")
            #expect(try await here.know().budget(of: .deletes) == BudgetScope(key: "told:100", rate: 0.9))
            #expect(try await here.know().budget(of: .sweep) == BudgetScope(key: "told:100", rate: 0.9))
        }
    }

    @Test func `a set rate wins over a told one, and a told one ends with its limit`() async throws {
        try await TestDatabase.with { database in
            let limits = ProviderLimits(pool: database.pool)
            limits.heard(Self.told(40, .looks))
            await limits.writeLearnedRates()
            #expect(try await limits.know().budget(of: .looks)?.rate == 1.2)
            try await limits.setRate(7)
            #expect(try await limits.know().budget(of: .looks) == BudgetScope(key: "account", rate: 7))
            try await limits.setRate(nil)
            try await database.admin.script("update dialtone.provider_limits set learned_until = now()")
            #expect(try await limits.know().budget(of: .looks) == nil)
        }
    }

    @Test func `a rate that was halved grows by a twentieth each ten seconds, and is halved once for many 429s`()
        async throws
    {
        try await TestDatabase.with { database in
            let limits = ProviderLimits(pool: database.pool)
            for _ in 1...39 { limits.heard(Self.nothing) }
            limits.heard(Self.silent)
            await limits.writeLearnedRates()
            #expect(try await limits.know().budget(of: .creates) == BudgetScope(key: "kind:jobs", rate: 2))
            limits.heard(Self.silent, now: .now + .seconds(60))
            await limits.writeLearnedRates(now: .now + .seconds(60))
            #expect(try await limits.know().budget(of: .creates)?.rate == 2)
            try await database.admin.script(
                "update dialtone.provider_limits set learned_until = learned_until - interval '25 seconds'")
            let grown = try await ProviderLimits(pool: database.pool).know().budget(of: .creates)?.rate ?? 0
            #expect(abs(grown - 2 * 1.05 * 1.05) < 0.001)
            #expect(try await limits.know().budget(of: .tokens) == nil, "login tokens have met no 429")
            #expect(try await limits.know().budget(of: .looks) == nil, "and neither have looks")
        }
    }
}
