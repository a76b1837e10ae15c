// SPDX-License-Identifier: Apache-2.0
// 25,000 users of one tenant: how they spread over tags, and whether ledger and provider agree afterwards.

import Foundation
import Postgres

struct Shards: Encodable {
    var users: Int
    var perSecond: Double
    var tags: Int
    /// Credentials in the fullest tag, at the provider.
    var fullest: Int
    /// Users whose credential at the provider is not the ledger's.
    var differences: Int
    /// Transactions of the worker and requests to the provider of any kind, per user.
    var transactionsPerUser: Double
    var callsPerUser: Double

    private static let users = 25_000

    static func measure(on bed: Bed) async throws -> Shards {
        let simulator = try await bed.stage("bench_shards").start(["simulator", "--listen", "127.0.0.1:0"])
        defer { simulator.stop() }
        let provider = simulator.ready["base_url"] ?? ""
        let stage = try await bed.stage("bench_shards", provider: provider)
        let database = try await stage.connect()
        try await JobRate.fill(stage, jobs: Self.users)
        let before = try await Self.transactions(database)
        let service = try await stage.start(["serve", "--roles", "worker"])
        let seconds = try await JobRate.drain(stage, jobs: Self.users)
        let after = try await Self.transactions(database)
        service.stop()
        let control = SimulatorControl(provider: provider)
        let requests: Int = try await control.ask("counts", for: Counts.self).requests.values.reduce(0, +)
        let held = try await control.ask("credentials", for: Held.self).data
        let ledger = try await Self.names(database)
        await database.close()
        let tags = Dictionary(grouping: held, by: \.tag).mapValues(\.count)
        return Shards(
            users: Self.users, perSecond: (Double(Self.users) / seconds).rounded(), tags: tags.count,
            fullest: tags.values.max() ?? 0,
            differences: held.count { ledger[$0.id] != $0.name } + abs(ledger.count - held.count),
            transactionsPerUser: (Double(after - before) / Double(Self.users)).rounded2,
            callsPerUser: (Double(requests) / Double(Self.users)).rounded2)
    }

    private struct Counts: Decodable { var requests: [String: Int] }

    private struct Held: Decodable {
        struct One: Decodable {
            var id: String
            var name: String
            var tag: String?
        }
        var data: [One]
    }

    /// Returns the name of each credential that the ledger has, by its id.
    private static func names(_ database: PostgresConnection) async throws -> [String: String] {
        var names: [String: String] = [:]
        for row in try await database.query(
            "select provider_id, name from dialtone.credentials where status = 'active'")
        {
            let (id, name) = try row.decode(String.self, String.self)
            names[id] = name
        }
        return names
    }

    /// Returns the transactions of this database so far. Each statement of the worker is one, except in the rare
    /// groups.
    private static func transactions(_ database: PostgresConnection) async throws -> Int64 {
        let row = try await database.query(
            "select (xact_commit + xact_rollback)::int8 from pg_stat_database where datname = current_database()"
        ).first
        return try row?.decode(Int64.self) ?? 0
    }
}
