// SPDX-License-Identifier: Apache-2.0
// How the calls of one slice are divided: tokens first, a share for each kind, and what is kept for whom.

import Postgres
import TestSupport
import Testing

@testable import ProviderLimits

@Suite struct TakeCallsTests {
    @Test func `a kind that asks alone gets all calls of a slice but one, which is kept for a token`() async throws {
        try await TestDatabase.with { database in
            let slices = ScriptedSlices(database: database)
            for (place, kind) in CallKind.allCases.dropFirst().enumerated() {
                let got = try await slices.take([kind: 64], at: Double(place) * 100)
                #expect(got == [kind: 4], "\(kind)")
            }
            #expect(try await slices.take([.tokens: 1], at: 0) == [.tokens: 1])
        }
    }

    @Test func `tokens overdraw half a slice at most, and the next slice repays it`() async throws {
        try await TestDatabase.with { database in
            let slices = ScriptedSlices(database: database)
            let first = try await slices.take([.tokens: 64])
            #expect(first == [.tokens: 8])
            #expect(try await slices.take([.tokens: 64]) == [:])
            #expect(try await slices.take([.tokens: 64], at: 0.5) == [.tokens: 5], "two, and half a slice again")
            #expect(try await slices.take([.looks: 64], at: 1.5) == [.looks: 4], "nobody asked for a slice")
        }
    }

    /// Each kind asks for more than there is, the least urgent first.
    @Test func `every kind gets at least its share, and all together no more than the rate`() async throws {
        try await TestDatabase.with { database in
            let slices = ScriptedSlices(database: database)
            var got: [CallKind: Int] = [:]
            for slice in 0...100 {
                for kind in [CallKind.sweep, .deletes, .looks, .creates] {
                    let taken = try await slices.take([kind: 64], at: Double(slice) / 2)
                    // The first slice does not know yet who wants what.
                    if slice > 0 { got.merge(taken, uniquingKeysWith: +) }
                }
            }
            for (kind, share) in [(CallKind.creates, 150), (.looks, 100), (.deletes, 50), (.sweep, 10)] {
                #expect(got[kind, default: 0] >= share, "\(kind): \(got)")
            }
            #expect(got.values.reduce(0, +) <= 500)
        }
    }

    @Test func `what a more urgent kind asked for in the last slice is kept for it`() async throws {
        try await TestDatabase.with { database in
            let slices = ScriptedSlices(database: database)
            _ = try await slices.take([.creates: 4])
            #expect(try await slices.take([.looks: 64], at: 0.5) == [.looks: 1], "its own share")
            #expect(try await slices.take([.creates: 64], at: 0.5) == [.creates: 3])
            #expect(try await slices.take([.tokens: 1], at: 0.5) == [.tokens: 1])
        }
    }

    @Test func `what a less urgent kind asked for in the last slice is kept, up to its share`() async throws {
        try await TestDatabase.with { database in
            let slices = ScriptedSlices(database: database)
            _ = try await slices.take([.looks: 64])
            #expect(try await slices.take([.creates: 64], at: 0.5) == [.creates: 3])
            #expect(try await slices.take([.looks: 64], at: 0.5) == [.looks: 1])
        }
    }

    @Test func `what tokens asked for in the last slice is kept for them, but for the shares`() async throws {
        try await TestDatabase.with { database in
            let slices = ScriptedSlices(database: database)
            _ = try await slices.take([.tokens: 3])
            #expect(try await slices.take([.creates: 64], at: 0.5) == [.creates: 2])
            #expect(try await slices.take([.tokens: 3], at: 0.5) == [.tokens: 3])
        }
    }

    @Test func `calls that come back are there again in their slice, and count as not wanted`() async throws {
        try await TestDatabase.with { database in
            let slices = ScriptedSlices(database: database)
            #expect(try await slices.take([.creates: 64]) == [.creates: 4])
            try await slices.giveBack(4, of: .creates)
            #expect(try await slices.take([.looks: 64]) == [.looks: 4])
            try await slices.giveBack(4, of: .looks)
            #expect(try await slices.take([.deletes: 64], at: 0.5) == [.deletes: 4], "nothing is kept for the others")
        }
    }

    /// Each slice is asked once, in its middle, for more than it has.
    @Test(
        arguments: [(0.05, 10, 40), (0.3, 10, 40), (1, 5, 40), (7, 1, 40), (33, 0.2, 100), (1000, 0.1, 100)]
            as [(Double, Double, Int)])
    func `a rate gives as many calls as it says, fast or slow`(rate: Double, slice: Double, count: Int) async throws {
        try await TestDatabase.with { database in
            let slices = ScriptedSlices(database: database, rate: rate)
            var got = 0.0
            for number in 0..<count {
                got += Double(try await slices.take([.tokens: 5000], at: (Double(number) + 0.5) * slice)[.tokens] ?? 0)
            }
            let expected = rate * slice * Double(count)
            let overdraft = max(1, rate * slice / 2) + 2
            #expect(got >= expected - 1 && got <= expected + overdraft, "\(got) of \(expected)")
        }
    }

    @Test func `housekeeping forgets slices that are over, and those of a time that a clock going back has put ahead`()
        async throws
    {
        try await TestDatabase.with { database in
            try await database.insert(
                """
                insert into dialtone.provider_budget (scope, slice, cap, granted, ends_at) values
                    ('account', 1, 5, '{0,4,0,0,0}', now() + interval '1 hour'),
                    ('account', 2, 5, '{0,4,0,0,0}', now() - interval '2 minutes'),
                    ('account', 3, 5, '{8,0,0,0,0}', now() - interval '2 minutes'),
                    ('account', 4, 5, '{8,0,0,0,0}', now() - interval '11 minutes'),
                    ('account', 5, 5, '{0,4,0,0,0}', now())
                """)
            _ = try await database.pool.query(ProviderLimits.forgetSlices)
            let left = try await database.admin.query("select slice from dialtone.provider_budget order by slice").map {
                try $0.decode(Int64.self)
            }
            #expect(left == [3, 5], "what was overdrawn is kept for longer")
        }
    }
}
