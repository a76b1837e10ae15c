// SPDX-License-Identifier: Apache-2.0
// The sweep has five calls a second on all nodes together, in a scope of its own, and names in doubt go first.

import Postgres
import TestSupport
import Testing

@testable import ProviderLimits

@Suite struct SweepTurnTests {
    private func slices(of database: TestDatabase) -> ScriptedSlices {
        ScriptedSlices(database: database, rate: BudgetScope.sweep(rate: 5).rate, scope: BudgetScope.sweep(rate: 5).key)
    }

    @Test func `visits alone get all five calls of a second, and no sixth`() async throws {
        try await TestDatabase.with { database in
            let slices = self.slices(of: database)
            for second in [0.0, 1, 2, 3, 4] {
                var got = 0
                for _ in 1...6 {
                    got += try await slices.take([.creates: 1], at: second)[.creates] ?? 0
                }
                let walk = try await slices.take([.sweep: 1], at: second)
                #expect(got == 5 && walk.isEmpty, "\(second)")
            }
        }
    }

    /// The least urgent asks first, all the time.
    @Test func `beside names in doubt, visits and the walk have their shares`() async throws {
        try await TestDatabase.with { database in
            let slices = self.slices(of: database)
            var got: [CallKind: Int] = [:]
            for second in 0...100 {
                for turn in SweepTurn.allCases.reversed() {
                    let taken = try await slices.take([turn.place: 5], at: Double(second))
                    // The first slice does not know yet who wants what.
                    if second > 0 { got.merge(taken, uniquingKeysWith: +) }
                }
            }
            #expect(got[SweepTurn.visits.place, default: 0] >= 100, "\(got)")
            #expect(got[SweepTurn.walk.place, default: 0] >= 5, "\(got)")
            #expect(got[SweepTurn.doubts.place, default: 0] > 300, "\(got)")
            #expect(got.values.reduce(0, +) <= 503)
        }
    }

    @Test func `two nodes take turns out of one scope, without any rate of the account`() async throws {
        try await TestDatabase.with { database in
            let nodes = [ProviderLimits(pool: database.pool), ProviderLimits(pool: database.pool)]
            for node in nodes {
                for turn in SweepTurn.allCases { await node.wait(for: turn) }
            }
            let granted = try await database.admin.query(
                "select scope, sum(granted[1] + granted[2] + granted[5])::bigint from dialtone.provider_budget group by 1"
            ).map { try $0.decode(String.self, Int64.self) }
            #expect(granted.map(\.0) == ["sweep"] && granted.map(\.1) == [6])
        }
    }

    @Test func `a cancelled call does not wait for its turn`() async throws {
        try await TestDatabase.with { database in
            let limits = ProviderLimits(pool: database.pool)
            await withTaskGroup(of: Void.self) { group in
                group.cancelAll()
                for _ in 1...1000 { group.addTask { await limits.wait(for: .visits) } }
            }
        }
    }
}
