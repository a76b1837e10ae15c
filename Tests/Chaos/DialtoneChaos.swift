// SPDX-License-Identifier: Apache-2.0
// A chaos test on real processes: they are killed, servers crash, the provider lies, and then everything is counted.

import AsyncHTTPClient
import Composition
import Foundation
import Model
import Postgres

/// `dialtone-chaos [rounds]`
///
/// The run builds a whole Dialtone (`Deployment`): two api and two worker processes, a PostgreSQL with a synchronous
/// standby, a PgBouncer, and the simulator as a process with its state on disk. Sign-ups, deletes, rotations and
/// duplicates stream in (`Senders`), and tokens are asked for (`TokenClient`), while something breaks in every round
/// (`Trouble`). At the end it waits until nothing is left to do (`Settling`), sweeps, and prints one line of JSON
/// (`Verdict`). Exit 1 means a duplicate, a loss, a wrong password or a token after a revoke, or that
/// `scripts/check-ledger` does not agree. Run it in the project's folder.
@main
struct DialtoneChaos {
    static func main() async {
        let rounds = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 20
        do {
            let verdict = try await Self.run(rounds)
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(verdict), as: UTF8.self))
            exit(verdict.isClean ? 0 : 1)
        } catch {
            Self.tell("dialtone-chaos: \(error)")
            exit(1)
        }
    }

    static func tell(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }

    private static func run(_ rounds: Int) async throws -> Verdict {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("dialtone-chaos-\(getpid())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        var cluster = try await Cluster.start(in: folder)
        let deployment = try await Deployment.build(on: cluster, in: folder)
        let verdict: Result<Verdict, any Error>
        do {
            verdict = .success(try await Self.live(rounds, deployment, &cluster))
        } catch {
            verdict = .failure(error)
        }
        deployment.processes.stopAll()
        try? await deployment.http.shutdown()
        if case .success(let verdict) = verdict, verdict.isClean {
            try? FileManager.default.removeItem(at: folder)
        } else {
            Self.tell("the processes' log: \(folder.appendingPathComponent("log").path)")
        }
        return try verdict.get()
    }

    /// Waits until little is left to do, half a minute at most. The provider goes on lying.
    private static func catchBreath(_ deployment: Deployment) async {
        let deadline = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < deadline {
            try? await Task.sleep(for: .seconds(1))
            guard let connection = try? await PostgresConnection.connect(SharedParts.database(deployment.settings))
            else { continue }
            let rows = try? await connection.query("select count(*) from dialtone.jobs where state <> 'dead'")
            await connection.close()
            if let left = try? rows?.first?.decode(Int64.self), left < 10 { return }
        }
    }

    /// Makes trouble for all rounds, ends it, and counts.
    private static func live(
        _ rounds: Int, _ deployment: Deployment, _ cluster: inout Cluster
    ) async throws -> Verdict {
        let senders = Senders(deployment)
        let watch = Watch(deployment.settings)
        let tokens = TokenClient(deployment, senders)
        // Unstructured, because it looks on until the count.
        let looking = Task { await watch.run() }
        // Unstructured, because it asks until the count.
        let asking = Task { await tokens.run() }
        defer {
            looking.cancel()
            asking.cancel()
        }
        let made = try await Self.makeTrouble(rounds, deployment, &cluster, senders)
        try await Trouble.end(deployment)
        try await senders.sendTheRest()
        var verdict = try await Verdict.reach(deployment, senders, watch, tokens, made, cluster)
        let outside = try OutsideCheck.findings(database: cluster.primaryURL, provider: deployment.provider)
        verdict.outsideAgrees = outside.isEmpty
        verdict.findings += outside
        return verdict
    }

    /// Makes trouble for all rounds while the senders speak. Returns what was made.
    private static func makeTrouble(
        _ rounds: Int, _ deployment: Deployment, _ cluster: inout Cluster, _ senders: Senders
    ) async throws -> MadeTrouble {
        var dice = SystemRandomNumberGenerator()
        let all = Trouble.all(in: deployment)
        var made = MadeTrouble(rounds: rounds, names: all.map(\.name))
        for round in 1...rounds {
            let pending = senders.burst(round: round, using: &dice)
            let trouble = all.randomElement(using: &dice) ?? .provider
            let (what, vanished) = try await trouble.make(deployment, &cluster, using: &dice)
            made.add(trouble, vanished: vanished)
            Self.tell("round \(round) of \(rounds): \(what)")
            await pending.value
            try await senders.rotateSome(using: &dice)
            // While servers change every few seconds, no second look ever counts. Without a pause all such jobs would
            // end only after the last round.
            if round.isMultiple(of: 10) { await Self.catchBreath(deployment) }
        }
        return made
    }
}
