// SPDX-License-Identifier: Apache-2.0
// The promise under every fault, many times over: each seed ends with exactly one credential or none; each mutant is caught.

import Foundation
import Glibc
import ModelWorld
import Testing

@Suite(.serialized) struct SimulationTests {
    /// As many as `make simulate SEEDS=…` asks for; the default runs with every `make test`.
    private static let seeds = ProcessInfo.processInfo.environment["DIALTONE_SEEDS"].flatMap { UInt64($0) } ?? 200_000
    private static let first =
        ProcessInfo.processInfo.environment["DIALTONE_FIRST_SEED"].flatMap { UInt64($0) } ?? 0

    @Test func everySeedKeepsThePromise() async throws {
        async let even = Self.inBackground { try Self.live(from: Self.first) }
        async let odd = Self.inBackground { try Self.live(from: Self.first + 1) }
        _ = try await (even, odd)
    }

    /// Every second seed.
    private static func live(from first: UInt64) throws {
        for seed in stride(from: first, to: Self.first + Self.seeds, by: 2) {
            try Self.live(Simulation(seed: seed), told: Simulation(seed: seed, isTraced: true))
        }
    }

    /// A life that fails is lived once more, with its story told.
    private static func live(_ life: Simulation, told: Simulation) throws {
        var (life, told) = (life, told)
        do { try life.run() } catch {
            try told.run()
            throw error
        }
    }

    /// One worker killed before each occurrence of a life, until there are no more; either of the two.
    @Test func aWorkerMayBeKilledAtAnyPoint() async throws {
        try await Self.inBackground {
            for seed in UInt64(0)..<40 {
                for slot in 0...1 {
                    var whole = Simulation(seed: seed, crash: (Int.max, slot))
                    try whole.run()
                    for point in 0..<whole.occurrences {
                        try Self.live(
                            Simulation(seed: seed, crash: (point, slot)),
                            told: Simulation(seed: seed, crash: (point, slot), isTraced: true))
                    }
                }
            }
        }
    }

    @Test(arguments: Mutant.allCases) func everyMutantIsCaught(_ mutant: Mutant) async throws {
        try await Self.inBackground {
            for seed in UInt64(0)..<200_000 {
                var simulation = Simulation(seed: seed, mutant: mutant)
                do { try simulation.run() } catch { return }
            }
            throw Unnoticed(mutant: mutant)
        }
    }

    private struct Unnoticed: Error {
        let mutant: Mutant
    }

    /// On a thread of the lowest priority (setpriority(2) of a thread, as Linux has it): whatever else is tested at the same
    /// time has deadlines to meet.
    private static func inBackground(_ work: @escaping @Sendable () throws -> Void) async throws {
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
            Thread.detachNewThread {
                setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 19)
                done.resume(with: Result { try work() })
            }
        }
    }
}
