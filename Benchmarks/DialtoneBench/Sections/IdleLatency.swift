// SPDX-License-Identifier: Apache-2.0
// How long a lone sign-up takes on an idle system, from its 202 to the committed credential, in milliseconds.

import Foundation
import Postgres

struct IdleLatency: Encodable {
    var p50: Double
    var p99: Double
    var samples: Int

    static func measure(on bed: Bed) async throws -> IdleLatency {
        let first = try await bed.stage("bench_latency")
        let simulator = try await first.start(["simulator", "--listen", "127.0.0.1:0"])
        defer { simulator.stop() }
        let stage = try await bed.stage("bench_latency", provider: simulator.ready["base_url"] ?? "")
        let service = try await stage.start(["serve"])
        defer { service.stop() }
        let database = try await stage.connect()
        let signed = try SignedRequests(320, first: 0, path: stage.hookPath, secret: stage.secret)
        var latencies: [Double] = []
        for (number, request) in signed.requests.enumerated() {
            let load = try HookLoad([request], port: service.port, connections: 1, seconds: 1)
            guard load.accepted == 1 else { throw BenchError.refused("a sign-up") }
            let answered = ContinuousClock.now
            // This asks about 2,000 times a second: often enough to measure by, and too seldom to be the load.
            while try await database.query(
                """
                select 1 from dialtone.users
                where tenant_id = 'acme' and user_id = \("user-\(number)") and status = 'ready'
                """
            ).isEmpty {
                guard ContinuousClock.now < answered + .seconds(10) else { throw BenchError.late("a credential") }
                try await Task.sleep(for: .microseconds(200))
            }
            let taken = ContinuousClock.now - answered
            // The first sign-ups warm connections and caches.
            if number >= 20 {
                latencies.append(Double(taken.components.attoseconds) / 1e15 + Double(taken.components.seconds) * 1e3)
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        await database.close()
        return IdleLatency(
            p50: latencies.percentile(0.5).rounded2, p99: latencies.percentile(0.99).rounded2, samples: latencies.count)
    }
}
