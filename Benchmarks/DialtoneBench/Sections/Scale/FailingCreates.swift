// SPDX-License-Identifier: Apache-2.0
// An import whose provider answers one create in twenty with a 500, beside the same import without.

import Postgres

struct FailingCreates: Encodable {
    /// Seconds from the first ready user until so many are ready.
    struct Times: Encodable {
        var half: Double
        var ninetyPercent: Double
        var all: Double
    }

    struct Pair: Encodable {
        /// Of all calls; null: no limit.
        var callsPerSecond: Int?
        var without: Times
        var with: Times
        /// With over without. The last user who was in doubt waits for the quiet time, which no rate shortens.
        var ratioAtNinety: Double
        var ratioOfAll: Double
        /// The share of users who are ready after twice the time that all take without.
        var readyAfterTwice: Double
    }

    var users: Int
    /// As fast as this machine goes, and as an account with a limit of calls goes.
    var pairs: [Pair]
    var quietSeconds = 70

    private static let users = 20_000
    private static let slow = #"{"operation":"any","kind":"delay","milliseconds":100}"#
    private static let failing = #"{"operation":"create","kind":"empty_500","probability":0.05}"#

    static func measure(on bed: Bed) async throws -> FailingCreates {
        FailingCreates(
            users: Self.users, pairs: [try await Self.pair(rate: nil, on: bed), try await Self.pair(rate: 50, on: bed)])
    }

    private static func pair(rate: Int?, on bed: Bed) async throws -> Pair {
        let (without, _) = try await Self.run("[\(Self.slow)]", rate: rate, on: bed)
        let (with, share) = try await Self.run(
            "[\(Self.failing),\(Self.slow)]", rate: rate, on: bed, share: 2 * without.all)
        return Pair(
            callsPerSecond: rate, without: without, with: with,
            ratioAtNinety: (with.ninetyPercent / without.ninetyPercent).rounded2,
            ratioOfAll: (with.all / without.all).rounded2, readyAfterTwice: (share * 1000).rounded() / 1000)
    }

    /// Returns the times, and the share of users who were ready after so many seconds.
    private static func run(
        _ faults: String, rate: Int?, on bed: Bed, share seconds: Double = 0
    ) async throws -> (Times, share: Double) {
        let simulator = try await bed.stage("bench_failing").start(["simulator", "--listen", "127.0.0.1:0"])
        defer { simulator.stop() }
        let provider = simulator.ready["base_url"] ?? ""
        let stage = try await bed.stage("bench_failing", provider: provider)
        try await SimulatorControl(provider: provider).setFaults(faults)
        let database = try await stage.connect()
        try await ImportLine.fill(Self.users, on: database)
        let worker = try await stage.with(rate.map { ["DIALTONE_PROVIDER_RATE": "\($0)"] } ?? [:])
            .start(["serve", "--roles", "worker"])
        defer { worker.stop() }
        try await Waiting.until(
            "select 1 where not exists (select 1 from dialtone.jobs)", on: database, for: .seconds(1800),
            every: .milliseconds(200))
        let row = try await database.query(
            """
            select extract(epoch from percentile_disc(0.5) within group (order by ready_at) - min(ready_at))::float8,
                   extract(epoch from percentile_disc(0.9) within group (order by ready_at) - min(ready_at))::float8,
                   extract(epoch from max(ready_at) - min(ready_at))::float8,
                   avg((ready_at <= (select min(ready_at) from dialtone.users)
                                    + \(seconds)::float8 * interval '1 second')::int)::float8
            from dialtone.users
            """
        ).first
        await database.close()
        guard let (half, ninety, all, share) = try row?.decode(Double.self, Double.self, Double.self, Double.self)
        else { throw BenchError.refused("times") }
        return (Times(half: half.rounded2, ninetyPercent: ninety.rounded2, all: all.rounded2), share)
    }
}
