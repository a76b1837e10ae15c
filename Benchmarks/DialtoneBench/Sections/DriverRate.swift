// SPDX-License-Identifier: Apache-2.0
// Statements per second of the driver, one after another and pipelined, beside a plain blocking libpq loop.

import CLibpq
import Foundation
import Postgres
import PrivatePostgres

struct DriverRate: Encodable {
    var sequential: Double
    var blocking: Double
    /// sequential / blocking, the median of rounds measured in turn.
    var share: Double
    var pipelined64: Double

    static func measure(on bed: Bed) async throws -> DriverRate {
        let url = bed.server.url()
        let connection = try await PostgresConnection.connect(PostgresConfiguration(url: url))
        var sequential: [Double] = []
        var blocking: [Double] = []
        var pipelined: [Double] = []
        _ = try await Self.sequential(connection, 2_000)
        for _ in 0..<5 {
            sequential.append(try await Self.sequential(connection, 20_000))
            blocking.append(try Self.blocking(url, 20_000))
            pipelined.append(try await Self.pipelined(connection, 1_500))
        }
        await connection.close()
        let shares = zip(sequential, blocking).map { $0 / $1 }
        return DriverRate(
            sequential: sequential.median.rounded(), blocking: blocking.median.rounded(), share: shares.median.rounded2,
            pipelined64: pipelined.median.rounded())
    }

    private static func sequential(_ connection: PostgresConnection, _ count: Int) async throws -> Double {
        let start = ContinuousClock.now
        for _ in 0..<count { _ = try await connection.query("select 1") }
        return Double(count) / Self.seconds(since: start)
    }

    private static func pipelined(_ connection: PostgresConnection, _ rounds: Int) async throws -> Double {
        let group = [SQL](repeating: "select 1", count: 64)
        let start = ContinuousClock.now
        for _ in 0..<rounds { _ = try await connection.pipeline([group]) }
        return Double(rounds * 64) / Self.seconds(since: start)
    }

    /// Measures libpq by itself: prepared, binary, blocking, on this thread.
    private static func blocking(_ url: String, _ count: Int) throws -> Double {
        let connection = PQconnectdb(url)
        defer { PQfinish(connection) }
        guard PQstatus(connection) == CONNECTION_OK else { throw BenchError.refused("a blocking connection") }
        PQclear(PQprepare(connection, "one", "select 1", 0, nil))
        let start = ContinuousClock.now
        for _ in 0..<count { PQclear(PQexecPrepared(connection, "one", 0, nil, nil, nil, 1)) }
        return Double(count) / Self.seconds(since: start)
    }

    private static func seconds(since start: ContinuousClock.Instant) -> Double {
        let taken = (ContinuousClock.now - start).components
        return Double(taken.seconds) + Double(taken.attoseconds) / 1e18
    }
}
