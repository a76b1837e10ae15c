// SPDX-License-Identifier: Apache-2.0
// Signed sign-ups accepted per second: each is durable, and answered 202 after its commit.

import Foundation
import Postgres

struct AcceptRate: Encodable {
    /// Medians of the runs, at 64 connections; `p50` and `p99` in milliseconds.
    var perSecond: Double
    var p50: Double
    var p99: Double
    var runs: [Double]
    /// All events that the service has accepted, those of the warm-up included.
    var events: Int
    /// Processor time of the service per accepted event, in microseconds. The warm-up is not included.
    var microsecondsPerEvent: Double
    /// PostgreSQL's own rate with one row per commit at 32 clients, measured before and after in the same run.
    var rowLimitPerSecond: Double
    var timesRowLimit: Double
    /// Resident memory of the service under this load, MiB.
    var residentMiB: Double

    static func measure(on bed: Bed) async throws -> AcceptRate {
        let before = try await RowLimit.measure(on: bed)
        let stage = try await bed.stage("bench_accept")
        let service = try await stage.start(["serve", "--roles", "api"])
        defer { service.stop() }
        var runs: [HookLoad] = []
        var processor: [Double] = []
        let warmUp = try Self.run(stage, service, first: 0, count: 5_000, seconds: 1)
        for run in 1...3 {
            let used = service.processorSeconds()
            let load = try Self.run(stage, service, first: run * 1_000_000, count: 80_000, seconds: 5)
            processor.append((service.processorSeconds() - used) / Double(max(1, load.accepted)) * 1e6)
            runs.append(load)
        }
        let database = try await stage.connect()
        let stored =
            try await database.query("select count(*) from dialtone.events").first?.decode(Int64.self) ?? Int64(0)
        await database.close()
        let answered = runs.reduce(0) { $0 + $1.accepted }
        guard runs.allSatisfy(\.others.isEmpty), Int(stored) >= answered else {
            throw BenchError.refused("some sign-ups: \(runs.map(\.others)), stored \(stored) of \(answered)")
        }
        let after = try await RowLimit.measure(on: bed)
        let rates = runs.map { Double($0.accepted) / $0.seconds }
        let limit = (before.runs + after.runs).median
        return AcceptRate(
            perSecond: rates.median.rounded(), p50: runs.map { $0.latencies.percentile(0.5) }.median.rounded2,
            p99: runs.map { $0.latencies.percentile(0.99) }.median.rounded2, runs: rates.map { $0.rounded() },
            events: warmUp.accepted + answered, microsecondsPerEvent: processor.median.rounded2,
            rowLimitPerSecond: limit, timesRowLimit: (rates.median / limit).rounded2,
            residentMiB: service.memory().highest)
    }

    /// Loads the service with sign-ups that are numbered from `first`.
    private static func run(
        _ stage: Stage, _ service: Running, first: Int, count: Int, seconds: Double
    ) throws -> HookLoad {
        let signed = try SignedRequests(count, first: first, path: stage.hookPath, secret: stage.secret)
        return try HookLoad(signed.requests, port: service.port, connections: 64, seconds: seconds)
    }
}
