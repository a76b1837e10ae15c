// SPDX-License-Identifier: Apache-2.0
// Everything at once on the real thing: processes killed, servers crashed and promoted, a provider that lies; then the
// count.

import AsyncHTTPClient
import Composition
import Foundation
import Model
import Postgres

/// `dialtone-chaos [rounds]`: two api and two worker processes, a PostgreSQL with a synchronous standby, and the
/// simulator as a process with its state on disk. Sign-ups, deletes, rotations and duplicates stream in while something
/// breaks in every round. At the end it waits for quiet, sweeps, and prints one line of JSON; exit 1 on any duplicate,
/// loss or wrong password, or when `scripts/check-ledger` does not agree. To be run in the project's folder.
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
        let town = try await Town.build(on: cluster, in: folder)
        let verdict: Result<Verdict, any Error>
        do {
            verdict = .success(try await Self.live(rounds, town, &cluster))
        } catch {
            verdict = .failure(error)
        }
        town.processes.stopAll()
        try? await town.http.shutdown()
        if case .success(let verdict) = verdict, verdict.isClean {
            try? FileManager.default.removeItem(at: folder)
        } else {
            Self.tell("the processes' log: \(folder.appendingPathComponent("log").path)")
        }
        return try verdict.get()
    }

    /// Until little is left to do, half a minute at most; the provider goes on lying.
    private static func catchBreath(_ town: Town) async {
        let deadline = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < deadline {
            try? await Task.sleep(for: .seconds(1))
            guard let connection = try? await PostgresConnection.connect(Foundations.database(town.settings)) else {
                continue
            }
            let rows = try? await connection.query("select count(*) from dialtone.jobs")
            await connection.close()
            if let left = try? rows?.first?.decode(Int64.self), left < 10 { return }
        }
    }

    private static func live(_ rounds: Int, _ town: Town, _ cluster: inout Cluster) async throws -> Verdict {
        let senders = Senders(town)
        let watch = Watch(town.settings)
        // Unstructured, because it looks on until the count.
        let looking = Task { await watch.run() }
        defer { looking.cancel() }
        var dice = SystemRandomNumberGenerator()
        var vanished = 0
        for round in 1...rounds {
            let pending = senders.burst(round: round, using: &dice)
            let trouble = try await Trouble.make(town, &cluster, using: &dice)
            vanished += trouble.vanished
            Self.tell("round \(round) of \(rounds): \(trouble.what)")
            await pending.value
            try await senders.rotateSome(using: &dice)
            // Else all is made up at the end: while servers change every few seconds no second look ever counts.
            if round.isMultiple(of: 10) { await Self.catchBreath(town) }
        }
        try await Trouble.end(town)
        await senders.sendTheRest()
        var verdict = try await Verdict.reach(
            town, senders, watch, rounds: rounds, failovers: cluster.failovers, vanished: vanished)
        let outside = try OutsideCheck.findings(database: cluster.url, provider: town.provider)
        verdict.outsideAgrees = outside.isEmpty
        verdict.findings += outside
        return verdict
    }
}
