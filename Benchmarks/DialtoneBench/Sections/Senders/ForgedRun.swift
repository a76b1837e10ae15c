// SPDX-License-Identifier: Apache-2.0
// What a forged request costs beside an accepted one.

import Postgres

enum ForgedRun {
    static func measure(
        _ kind: SenderKind, on ground: SenderStage, _ service: Running, _ database: PostgresConnection
    ) async throws -> Senders.Forged {
        let good = try kind.requests(kind == .token ? 3_000 : 30_000, first: 90_000_000, on: ground)
        let start = service.processorSeconds()
        let accepted = try HookLoad(good, port: service.port, connections: 64, seconds: 4)
        let between = service.processorSeconds()
        let forged = good.prefix(3_000).map { SenderRequests.forged($0, header: kind.proofHeader) }
        let transactions = try await Self.transactions(database)
        let before = service.processorSeconds()
        let refused = try HookLoad(forged, port: service.port, connections: 100, seconds: 20)
        let end = service.processorSeconds()
        guard refused.others == [401: forged.count] else { throw BenchError.refused("\(kind): \(refused.others)") }
        let costs = (
            refused: (end - before) / Double(forged.count) * 1e6,
            accepted: (between - start) / Double(max(1, accepted.accepted)) * 1e6
        )
        return Senders.Forged(
            refusedMicroseconds: costs.refused.rounded2, acceptedMicroseconds: costs.accepted.rounded2,
            timesAccepted: (costs.accepted / costs.refused).rounded2, refused: forged.count,
            transactions: try await Self.transactions(database) - transactions)
    }

    /// Transactions of the database so far. A session tells of its own when it is idle for a second.
    private static func transactions(_ database: PostgresConnection) async throws -> Int {
        try await Task.sleep(for: .milliseconds(1_500))
        _ = try await database.query("select pg_stat_clear_snapshot()")
        return try await database.query(
            "select xact_commit + xact_rollback from pg_stat_database where datname = current_database()"
        ).first?.decode(Int.self) ?? 0
    }
}
