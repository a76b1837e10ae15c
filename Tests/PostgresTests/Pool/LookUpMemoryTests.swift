// SPDX-License-Identifier: Apache-2.0
// Invented ids fill a memory of their own: they push no known one out, and do not grow it without end.

import Foundation
import Testing

@testable import Postgres

@Suite struct LookUpMemoryTests {
    private static let noon = Date(timeIntervalSince1970: 1_800_000_000)

    private static func memory() -> LookUpMemory<Int> { LookUpMemory(keepsHits: 60, keepsMisses: 1) }

    @Test func `any number of misses leaves every hit`() {
        var memory = Self.memory()
        for id in 0..<500 { memory.note(id, for: "known-\(id)", at: Self.noon) }
        for id in 0..<25_000 { memory.note(nil, for: "invented-\(id)", at: Self.noon) }
        for id in 0..<500 { #expect(memory.hit("known-\(id)")?.found == id) }
        #expect(memory.isMiss("invented-24999", at: Self.noon))
    }

    @Test func `a miss counts for its time, and ends when the id gets a row`() {
        var memory = Self.memory()
        memory.note(nil, for: "a", at: Self.noon)
        #expect(memory.isMiss("a", at: Self.noon + 0.9) && !memory.isMiss("a", at: Self.noon + 1))
        #expect(!memory.isMiss("a", at: Self.noon - 2), "the clock was set back")
        memory.note(1, for: "a", at: Self.noon)
        #expect(!memory.isMiss("a", at: Self.noon) && memory.hit("a")?.found == 1)
        memory.note(nil, for: "a", at: Self.noon)
        #expect(memory.hit("a") == nil && memory.isMiss("a", at: Self.noon))
    }

    @Test func `old hits make room for new ones, and young ones stay`() {
        var memory = Self.memory()
        for id in 0..<1000 { memory.note(id, for: "old-\(id)", at: Self.noon) }
        for id in 0..<10 { memory.note(id, for: "young-\(id)", at: Self.noon + 61) }
        #expect(memory.hit("old-0") == nil && memory.hit("young-0")?.found == 0)
        #expect(memory.hit("young-9")?.age(at: Self.noon + 63) == 2)
    }
}
