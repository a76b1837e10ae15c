// SPDX-License-Identifier: Apache-2.0
// The promise under every fault, many times over: each seed ends with exactly one credential or none; each mutant is
// caught.

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
        var tally = try await even
        tally += try await odd
        print("\(Self.seeds) lives: \(tally)")
        guard Self.seeds >= 1000 else { return }
        for kind in Tally.Kind.allCases { #expect(tally[kind] > 0, "\(kind) never happened") }
    }

    /// Every second seed, with the sweep; one in ten once more without it.
    private static func live(from first: UInt64) throws -> Tally {
        var tally = Tally()
        for seed in stride(from: first, to: Self.first + Self.seeds, by: 2) {
            tally += try Self.live(seed).tally
            if seed % 20 < 2 { try Self.live(seed, hasSweep: false) }
        }
        return tally
    }

    /// A life that fails is lived once more, with its story told.
    @discardableResult
    private static func live(
        _ seed: UInt64, hasSweep: Bool = true, _ trouble: Trouble = .anything
    ) throws -> Simulation {
        var life = Simulation(seed: seed, hasSweep: hasSweep, trouble: trouble)
        do { try life.run() } catch {
            var told = Simulation(seed: seed, hasSweep: hasSweep, trouble: trouble, isTraced: true)
            try told.run()
            throw error
        }
        return life
    }

    /// One worker killed before each occurrence of a life, until there are no more; either of the two. In half the
    /// lives the sweep is at work, and the user is rotated, revoked and signed up again.
    @Test(arguments: [false, true]) func aWorkerMayBeKilledAtAnyPoint(_ hasSweep: Bool) async throws {
        try await Self.inBackground {
            for seed in UInt64(0)..<40 {
                let whole = try Self.live(seed, hasSweep: hasSweep, .nothing)
                for slot in 0...1 {
                    for point in 0..<whole.occurrences {
                        try Self.live(seed, hasSweep: hasSweep, .kill(occurrence: point, slot: slot))
                    }
                }
            }
        }
    }

    /// The server crashes after each commit of a life, with the answer to it, whoever waits for one.
    @Test(arguments: [false, true]) func theServerMayCrashAfterAnyCommit(_ hasSweep: Bool) async throws {
        try await Self.inBackground {
            for seed in UInt64(0)..<40 {
                let whole = try Self.live(seed, hasSweep: hasSweep, .nothing)
                for commit in 1...whole.commits { try Self.live(seed, hasSweep: hasSweep, .crash(commit: commit)) }
            }
        }
    }

    /// A claim is lost in a promotion, and its worker goes on when the ledger is trusted again.
    @Test func aLostClaimIsNobodys() async throws {
        try await Self.inBackground {
            for seed in UInt64(0)..<10_000 { try Self.live(seed, .lostClaim) }
        }
    }

    @Test(arguments: Mutant.allCases) func everyMutantIsCaught(_ mutant: Mutant) async throws {
        try await Self.inBackground {
            for seed in UInt64(0)..<200_000 {
                for (hasSweep, trouble) in [(true, Trouble.anything), (false, .anything), (true, .lostClaim)] {
                    var simulation = Simulation(seed: seed, hasSweep: hasSweep, trouble: trouble, mutant: mutant)
                    do { try simulation.run() } catch { return }
                }
            }
            throw Unnoticed(mutant: mutant)
        }
    }

    private struct Unnoticed: Error {
        let mutant: Mutant
    }

    /// On a thread of the lowest priority (setpriority(2) of a thread, as Linux has it): whatever else is tested at the
    /// same time has deadlines to meet.
    private static func inBackground<Result: Sendable>(
        _ work: @escaping @Sendable () throws -> Result
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Result, any Error>) in
            Thread.detachNewThread {
                setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 19)
                done.resume(with: Swift.Result { try work() })
            }
        }
    }
}
