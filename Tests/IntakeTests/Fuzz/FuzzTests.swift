// SPDX-License-Identifier: Apache-2.0
// No input crashes or holds up the readers of bodies, proofs and times, and each input is read as its rules say.

import Foundation
import Glibc
import Testing

@Suite struct FuzzTests {
    /// The number of inputs. `make fuzz N=…` sets it, and `make test` runs the default.
    private static let inputs =
        ProcessInfo.processInfo.environment["DIALTONE_FUZZ_INPUTS"].flatMap { UInt64($0) } ?? 100_000
    private static let first =
        ProcessInfo.processInfo.environment["DIALTONE_FIRST_INPUT"].flatMap { UInt64($0) } ?? 0

    @Test func `any input is read by its rules, and none crashes or holds up a reader`() async throws {
        async let even: Void = Background.run { try Self.attempt(from: Self.first) }
        async let odd: Void = Background.run { try Self.attempt(from: Self.first + 1) }
        try await even
        try await odd
    }

    /// Tries every second input.
    private static func attempt(from first: UInt64) throws {
        for number in stride(from: first, to: Self.first + Self.inputs, by: 2) {
            do { try Self.attempt(number) } catch { throw NumberedFailure(number: number, error: error) }
        }
    }

    private static func attempt(_ number: UInt64) throws {
        var dice = FuzzDice(number)
        switch dice.upTo(8) {
        case 0...3: try FuzzedBody.attempt(&dice)
        case 4, 5: try FuzzedTime.attempt(&dice)
        default: try FuzzedProof.attempt(&dice)
        }
        guard number % 20_000 < 2 else { return }
        let before = Self.processorTime()
        try FuzzedBody.attemptLarge(&dice)
        guard Self.seconds(since: before) < 20 else { throw FuzzFailure("a large body holds up a reader", []) }
    }

    /// Of processor time of this thread, so that a busy machine does not count.
    private static func processorTime() -> timespec {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return time
    }

    private static func seconds(since before: timespec) -> Int { Self.processorTime().tv_sec - before.tv_sec }

    private struct NumberedFailure: Error, CustomStringConvertible {
        let number: UInt64
        let error: any Error
        var description: String { "input \(self.number): \(self.error); again: make fuzz N=1 FIRST=\(self.number)" }
    }
}
