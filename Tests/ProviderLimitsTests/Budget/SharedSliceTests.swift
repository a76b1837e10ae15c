// SPDX-License-Identifier: Apache-2.0
// Many sessions share one slice, and a login token does not wait for the calls of the background.

import Postgres
import TestSupport
import Testing

@testable import ProviderLimits

@Suite struct SharedSliceTests {
    /// At 500 calls a second a slice has 50.
    @Test func `twenty sessions together get what one slice has, and no more`() async throws {
        try await TestDatabase.with(connections: 20) { database in
            let slices = ScriptedSlices(database: database, rate: 500)
            let got = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 1...200 {
                    group.addTask { try await slices.take([.creates: 1])[.creates] ?? 0 }
                }
                return try await group.reduce(0, +)
            }
            #expect(got == 49, "one is kept for a token")
        }
    }

    @Test func `a snapshot that is held changes nothing of what is granted`() async throws {
        try await TestDatabase.with { database in
            try await database.admin.script("begin isolation level repeatable read; select count(*) from dialtone.jobs")
            let slices = ScriptedSlices(database: database)
            for slice in 0..<100 {
                var got = 0
                for _ in 1...5 { got += try await slices.take([.creates: 1], at: Double(slice) / 2)[.creates] ?? 0 }
                #expect(got == 4)
            }
            try await database.admin.script("rollback")
        }
    }

    /// Ten calls a second for a minute of scripted time. An import, looks, deletes and the sweep want all they can get.
    @Test(arguments: [0.5, 3, 6])
    func `a login token waits less than a second beside all other calls`(tokensPerSecond: Double) async throws {
        try await TestDatabase.with { database in
            let slices = ScriptedSlices(database: database)
            var random = Seeded(state: 7)
            var (waiting, waits, calls): ([Double], [Double], Int) = ([], [], 0)
            try await database.pool.withConnection { connection in
                for step in 0..<1200 {
                    let now = Double(step) / 20
                    if random.next() < tokensPerSecond / 20 { waiting.append(now) }
                    if !waiting.isEmpty {
                        let got = try await slices.take([.tokens: waiting.count], at: now, on: connection)
                        waits += waiting.prefix(got[.tokens] ?? 0).map { now - $0 }
                        waiting.removeFirst(got[.tokens] ?? 0)
                        calls += got[.tokens] ?? 0
                    }
                    // The others ask once a slice, each node at a time of its own.
                    guard step % 10 == 3 else { continue }
                    let greedy: [CallKind: Int] = [.creates: 64, .looks: 16, .deletes: 64, .sweep: 5]
                    calls += try await slices.take(greedy, at: now, on: connection).values.reduce(0, +)
                }
            }
            waits.sort()
            let p99 = waits.isEmpty ? .infinity : waits[(waits.count - 1) * 99 / 100]
            #expect(p99 < 1, "\(p99) s of \(waits.count) tokens")
            #expect(calls <= 603 && calls >= 470, "\(calls) calls in a minute")
        }
    }

    /// Numbers from 0 to 1, the same at every run.
    private struct Seeded {
        var state: UInt64

        mutating func next() -> Double {
            self.state = self.state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Double(self.state >> 11) / Double(1 << 53)
        }
    }
}
