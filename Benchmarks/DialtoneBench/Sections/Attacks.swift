// SPDX-License-Identifier: Apache-2.0
// How long another tenant's webhooks take while one sender, one key or a stranger does its worst.

import Foundation

struct Attacks: Encodable {
    struct Run: Encodable {
        var attack: String
        var victim: Victim
        /// The attacker's answers by status; `closed` counts connections that the service has closed.
        var answers: [String: Int]
        /// Resident memory of the service, MiB: at rest, when the attack ended, and the highest.
        var restMiB: Double
        var endMiB: Double
        var highestMiB: Double
    }

    var secondsEach: Double
    /// The victim alone.
    var idle: Victim
    var runs: [Run]

    static func measure(on bed: Bed, seconds: Double) async throws -> Attacks {
        Wire.allowManyConnections()
        let simulator = try await bed.stage("bench_attacks").start(["simulator", "--listen", "127.0.0.1:0"])
        defer { simulator.stop() }
        let ground = try await AttackGround.make(on: bed, provider: simulator.ready["base_url"] ?? "")
        let idle = try await Self.idle(ground, seconds)
        Progress.tell("attacks: idle: \(Self.text(idle))")
        var runs: [Run] = []
        for (number, attack) in Attack.allCases.enumerated() {
            let run = try await Self.run(attack, on: ground, first: (number + 1) * 1_000_000, seconds)
            Progress.tell("attacks: \(run.attack): \(Self.text(run.victim)); \(Self.text(run))")
            runs.append(run)
        }
        return Attacks(secondsEach: seconds, idle: idle, runs: runs)
    }

    /// Measures the victim alone, after a warm-up.
    private static func idle(_ ground: AttackGround, _ seconds: Double) async throws -> Victim {
        let service = try await ground.stage.start(["serve"])
        defer { service.stop() }
        _ = try Victim(of: ground, first: 900_000, port: service.port, seconds: 2)
        return try Victim(of: ground, first: 0, port: service.port, seconds: seconds)
    }

    /// Runs one attack beside the victim, on a service that was just started.
    private static func run(
        _ attack: Attack, on ground: AttackGround, first: Int, _ seconds: Double
    ) async throws -> Run {
        let service = try await ground.stage.start(["serve"])
        defer { service.stop() }
        _ = try Victim(of: ground, first: first + 900_000, port: service.port, seconds: 2)
        let rest = service.memory().now
        let attacker = try attack.attacker(on: ground)
        let port = service.port
        let (endings, ending) = AsyncStream<Result<[String: Int], any Error>>.makeStream()
        // A thread of its own, because both loads wait in system calls.
        Thread.detachNewThread {
            ending.yield(Result { try attacker.run(port: port, seconds: seconds + 1) })
            ending.finish()
        }
        // The attack is under way before the victim's first sign-up.
        try await Task.sleep(for: .seconds(1))
        let victim = try Victim(of: ground, first: first, port: port, seconds: seconds)
        let end = service.memory()
        var answers: [String: Int] = [:]
        for await result in endings { answers = try result.get() }
        return Run(
            attack: attack.rawValue, victim: victim, answers: answers, restMiB: rest, endMiB: end.now,
            highestMiB: end.highest)
    }

    // MARK: Text

    private static func text(_ victim: Victim) -> String {
        """
        victim p50 \(victim.p50) ms, p99 \(victim.p99) ms, \(victim.sent) sent, \(victim.unavailable) answered 503, \
        \(victim.others) not answered 202 otherwise
        """
    }

    private static func text(_ run: Run) -> String {
        let answers = run.answers.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
        return "attacker \(answers); resident \(run.restMiB), then \(run.endMiB), highest \(run.highestMiB) MiB"
    }
}
