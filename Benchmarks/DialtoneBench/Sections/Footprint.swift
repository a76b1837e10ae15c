// SPDX-License-Identifier: Apache-2.0
// Start-up time to the first 200, and resident memory at rest and under load.

import Foundation

struct Footprint: Encodable {
    /// Milliseconds from exec to the first 200 of /healthz: the median of the starts, and each start.
    var startup: Double
    var startups: [Double]
    var restMiB: Double
    var loadMiB: Double

    static func measure(on bed: Bed) async throws -> Footprint {
        let first = try await bed.stage("bench_footprint")
        let simulator = try await first.start(["simulator", "--listen", "127.0.0.1:0"])
        defer { simulator.stop() }
        let stage = try await bed.stage("bench_footprint", provider: simulator.ready["base_url"] ?? "")
        var startups: [Double] = []
        for _ in 0..<9 {
            let start = ContinuousClock.now
            let service = try await stage.start(["serve"])
            let answer = try HookLoad.status(of: "/healthz", port: service.port)
            let taken = (ContinuousClock.now - start).components
            service.stop()
            guard answer == 200 else { throw BenchError.refused("/healthz") }
            startups.append((Double(taken.attoseconds) / 1e15 + Double(taken.seconds) * 1e3).rounded2)
        }
        let service = try await stage.start(["serve"])
        defer { service.stop() }
        let rest = service.memory().now
        let signed = try SignedRequests(40_000, first: 0, path: stage.hookPath, secret: stage.secret)
        _ = try HookLoad(signed.requests, port: service.port, connections: 64, seconds: 6)
        return Footprint(
            startup: startups.median, startups: startups, restMiB: rest, loadMiB: service.memory().highest)
    }
}
