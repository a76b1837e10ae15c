// SPDX-License-Identifier: Apache-2.0
// The promise holds under every fault: each simulated life ends as wanted, and each mutant is caught.

import Foundation
import Glibc
import SimulatedWorld
import Synchronization
import Testing

@Suite(.serialized) struct SimulationTests {
    /// The number of lives. `make simulate SEEDS=…` sets it, and `make test` runs the default.
    private static let seeds = ProcessInfo.processInfo.environment["DIALTONE_SEEDS"].flatMap { UInt64($0) } ?? 200_000
    private static let first =
        ProcessInfo.processInfo.environment["DIALTONE_FIRST_SEED"].flatMap { UInt64($0) } ?? 0

    /// `DIALTONE_MUTANTS=…` names a few; all are the default.
    private static let mutants = Mutant.allCases.filter {
        ProcessInfo.processInfo.environment["DIALTONE_MUTANTS"]?.contains("\($0)") ?? true
    }
    /// Seeds that have noticed rare mutants are tried first. When the world changes, the search finds others.
    private static let knownSeeds: [Mutant: UInt64] = [
        .countIsTrust: 109_779, .recordedBeforeLocked: 25_834, .mustLookUnheeded: 1_273_486,
    ]

    @Test func `every life ends with exactly one credential, or with none if none is wanted`() async throws {
        async let even = Self.inBackground { try Self.live(from: Self.first) }
        async let odd = Self.inBackground { try Self.live(from: Self.first + 1) }
        var tally = try await even
        tally += try await odd
        print("\(Self.seeds) lives: \(tally)")
        guard Self.seeds >= 1000 else { return }
        for kind in Tally.Kind.allCases { #expect(tally[kind] > 0, "\(kind) never happened") }
    }

    /// Lives every second seed with the sweep, and one in ten once more without it.
    private static func live(from first: UInt64) throws -> Tally {
        var tally = Tally()
        for seed in stride(from: first, to: Self.first + Self.seeds, by: 2) {
            tally += try Self.live(seed).tally
            if seed % 20 < 2 { try Self.live(seed, hasSweep: false) }
        }
        return tally
    }

    /// Lives one life. A life that fails is lived once more with its trace switched on.
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

    /// Kills either of the two workers before each occurrence of a life. In half the lives the sweep is at work, and
    /// the user is rotated, revoked and signed up again.
    @Test(arguments: [false, true]) func `a worker may be killed at any point`(_ hasSweep: Bool) async throws {
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

    /// Crashes the server after each commit of a life. The reply to that commit is lost with it.
    @Test(arguments: [false, true]) func `the server may crash after any commit`(_ hasSweep: Bool) async throws {
        try await Self.inBackground {
            for seed in UInt64(0)..<40 {
                let whole = try Self.live(seed, hasSweep: hasSweep, .nothing)
                for commit in 1...whole.commits { try Self.live(seed, hasSweep: hasSweep, .crash(commit: commit)) }
            }
        }
    }

    /// A promotion loses a claim, and its worker goes on when the ledger is trusted again.
    @Test func `after a promotion that lost a claim, its worker has no authority`() async throws {
        try await Self.inBackground {
            for seed in UInt64(0)..<10_000 { try Self.live(seed, .lostClaim) }
        }
    }

    @Test(arguments: Self.mutants) func `every mutant is caught`(_ mutant: Mutant) async throws {
        let caught = Caught()
        async let even: Void = Self.inBackground { Self.search(mutant, from: 0, caught) }
        async let odd: Void = Self.inBackground { Self.search(mutant, from: 1, caught) }
        _ = try await (even, odd)
        guard caught.isTrue.load(ordering: .relaxed) else { throw Unnoticed(mutant: mutant) }
    }

    /// Tries every second seed until one of them notices the mutant, here or on the other thread. The first lives are
    /// also lived without the sweep, and with a lost claim.
    private static func search(_ mutant: Mutant, from first: UInt64, _ caught: Caught) {
        let known = Self.knownSeeds[mutant].map { $0 % 2 == first ? [$0] : [] } ?? []
        for seed in known + Array(stride(from: first, to: 200_000, by: 2)) {
            let others: [(Bool, Trouble)] = seed < 1000 ? [(false, .anything), (true, .lostClaim)] : []
            for (hasSweep, trouble) in [(true, Trouble.anything)] + others {
                guard !caught.isTrue.load(ordering: .relaxed) else { return }
                var simulation = Simulation(seed: seed, hasSweep: hasSweep, trouble: trouble, mutant: mutant)
                do { try simulation.run() } catch {
                    print("\(mutant): \("\(error)".prefix { $0 != "\n" })")
                    caught.isTrue.store(true, ordering: .relaxed)
                }
            }
        }
    }

    /// Whether a seed has noticed the mutant.
    private final class Caught: Sendable {
        let isTrue = Atomic(false)
    }

    private struct Unnoticed: Error {
        let mutant: Mutant
    }

    /// Works on a thread of the lowest priority, because other tests have deadlines to meet at the same time. On Linux
    /// setpriority(2) can set the priority of one thread.
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
