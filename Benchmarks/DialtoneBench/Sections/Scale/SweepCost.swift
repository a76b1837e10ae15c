// SPDX-License-Identifier: Apache-2.0
// What the sweep of a million users asks of the provider in a day, by how the users are spread over tenants.

import Foundation
import Postgres

/// A real worker sweeps for one day of a hurried clock (`HurriedClock`).
struct SweepCost: Encodable {
    struct Run: Encodable {
        var tenants: Int
        var usersEach: Int
        /// Sign-ups in that day, spread evenly, one in a thousand with a lost answer.
        var signUps: Int
        /// Calls of the day: lists of one credential of a tag, whole lists of tags by page, lists by name, pages of the
        /// account, and one credential by id.
        var counts: Int
        var lists: Int
        var names: Int
        var account: Int
        var byID: Int
        /// All of these. Creates are not among them.
        var callsPerDay: Int
        var creates: Int
        var megabytes: Double
        /// How far the visit was behind that is the latest at the end, in seconds of the day. A large number says that
        /// this machine was too slow for such a hurry.
        var latestVisit: Double
        /// What the design promises at most.
        var mostCalls: Int
    }

    /// How much faster than time the day went.
    var hurry: Int
    var runs: [Run]

    private static let cases: [(ground: ScaleGround, signUps: Bool)] = [
        (ScaleGround(tenants: 1, usersEach: 1_000_000), false),
        (ScaleGround(tenants: 10_000, usersEach: 100), false),
        (ScaleGround(tenants: 200, usersEach: 5_000), false),
        (ScaleGround(tenants: 10_000, usersEach: 100), true),
    ]

    static func measure(on bed: Bed, hurry: Int) async throws -> SweepCost {
        var cost = SweepCost(hurry: hurry, runs: [])
        for (ground, signUps) in Self.cases {
            let run = try await Self.run(ground, signUps: signUps, on: bed, hurry: hurry)
            Progress.tell("sweep: \(run)")
            cost.runs.append(run)
        }
        return cost
    }

    private static func run(_ ground: ScaleGround, signUps: Bool, on bed: Bed, hurry: Int) async throws -> Run {
        let simulator = try await bed.stage("bench_sweep").start(["simulator", "--listen", "127.0.0.1:0"])
        defer { simulator.stop() }
        let provider = simulator.ready["base_url"] ?? ""
        let control = SimulatorControl(provider: provider)
        let stage = try await bed.stage("bench_sweep", provider: provider, hurry: hurry)
        try await ground.fill(stage, control)
        try await control.setFaults(
            #"[{"operation":"create","kind":"error_after_commit","probability":0.001}]"#)
        // A lease of the usual length, by the worker's clock.
        let own = stage.with(["DIALTONE_LEASE": "\(min(30 * hurry, 604_800))s"])
        let database = try await stage.connect()
        let calls = try await HurriedWorker.with(own, hurry: hurry) {
            let before = try await ProviderTraffic.now(control)
            try await Self.spend(
                .seconds(86_400) / hurry, signingUp: signUps ? ground.tenants : 0, on: database)
            return try await ProviderTraffic.now(control).less(before)
        }
        let late = try await database.query(
            "select extract(epoch from greatest(clock_timestamp() - min(due_at), '0'))::float8 from dialtone.tenant_tags"
        ).first
        let latest = try late?.decode(Double.self) ?? 0
        await database.close()
        return Run(
            tenants: ground.tenants, usersEach: ground.usersEach, signUps: signUps ? ground.tenants : 0,
            counts: calls.count, lists: calls.tag, names: calls.name, account: calls.account, byID: calls.retrieve,
            callsPerDay: calls.count + calls.tag + calls.name + calls.account + calls.retrieve, creates: calls.create,
            megabytes: (Double(calls.bytes) / 1e6).rounded2, latestVisit: latest.rounded(),
            mostCalls: signUps ? 25_000 : 12_000)
    }

    /// Waits for the end of the day, and signs users up meanwhile: one in each of so many tenants.
    private static func spend(_ day: Duration, signingUp tenants: Int, on database: PostgresConnection) async throws {
        let start = ContinuousClock.now
        var done = 0
        while true {
            let share = min(1, (ContinuousClock.now - start) / day)
            let due = Int(Double(tenants) * share)
            if due > done {
                try await ImportLine.signUp(tenants: done + 1...due, user: "new", on: database)
                done = due
            }
            if share >= 1 { return }
            try await Task.sleep(for: .milliseconds(100))
        }
    }
}
