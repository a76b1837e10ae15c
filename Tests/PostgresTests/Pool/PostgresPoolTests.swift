// SPDX-License-Identifier: Apache-2.0
// When the server goes away, the pool fails its callers soon; when the server returns, the pool reconnects.

import Foundation
import Postgres
import PrivatePostgres
import Testing

@Suite struct PostgresPoolTests {
    @Test func `the pool fails soon while the server is away and reconnects when it returns`() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("dialtone-pool-\(UUID().uuidString)")
        let server = try await PrivatePostgres.start(in: folder)
        server.stopAtExit(removingData: true)
        defer { server.remove() }
        var configuration = PostgresPool.Configuration(try PostgresConfiguration(url: server.url()))
        configuration.maximum = 2
        configuration.leaseTimeout = .seconds(60)
        configuration.breakAfter = .milliseconds(200)
        let pool = PostgresPool(configuration)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await pool.run() }
            #expect(try await pool.query("select 1").count == 1)
            try await server.stop(mode: "immediate")
            let start = ContinuousClock.now
            for _ in 0..<5 {
                let error = await #expect(throws: PostgresError.self) { try await pool.query("select 1") }
                #expect(error?.isUnavailable == true)
            }
            // One lease may wait for 60 seconds.
            #expect(ContinuousClock.now - start < .seconds(20), "a broken pool fails soon")
            try await server.startAgain()
            let deadline = ContinuousClock.now + .seconds(20)
            while (try? await pool.query("select 1")) == nil {
                try #require(ContinuousClock.now < deadline, "the pool did not find the server again")
                await Task.yield()
            }
            group.cancelAll()
        }
        try await server.stop(mode: "immediate")
    }
}
