// SPDX-License-Identifier: Apache-2.0
// What a source tells of a person comes to what the set of its words says, in any order and any grouping.

import Foundation
import Testing

@Suite struct LivesTests {
    /// `make lives N=… FIRST=…` sets them, and `make test` tells fewer: some hundred to PostgreSQL.
    private static let lives = Self.number("DIALTONE_LIVES")
    private static let first = Self.number("DIALTONE_FIRST_LIFE") ?? 0
    /// Tellings of a life that has more than three words.
    private static let some = 4

    private static func number(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
    }

    @Test func `in the model every order of a life comes to what its words say`() async throws {
        let numbers = Self.first..<Self.first + (Self.lives ?? 1_000)
        async let even: Void = Background.run { try Self.tell(numbers, from: 0) }
        async let odd: Void = Background.run { try Self.tell(numbers, from: 1) }
        try await even
        try await odd
    }

    /// Tells every second life.
    private static func tell(_ numbers: Range<UInt64>, from first: UInt64) throws {
        for number in stride(from: numbers.lowerBound + first, to: numbers.upperBound, by: 2) {
            try ModelLives.tellInEveryOrder(Life(number))
        }
    }

    @Test func `in PostgreSQL the tellings of a life come to what its words say`() async throws {
        let lives = Self.number("DIALTONE_STATEMENT_LIVES") ?? Self.lives ?? 200
        let began = ContinuousClock.now
        let told = try await StatementLives.tell(Self.first..<Self.first + lives, some: Self.some)
        guard Self.lives != nil else { return }
        print("\(lives) lives in \(told.tellings) tellings of \(told.words) words: \(ContinuousClock.now - began)")
    }
}
