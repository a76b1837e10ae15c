// SPDX-License-Identifier: Apache-2.0
// One run of a sender: nine of ten requests are good, the others repeated or forged.

import Postgres

struct MixedRun {
    let usersPerSecond: Double
    let p50: Double
    let p99: Double
    /// Processor time for one new user, of the service and of the sessions of its database.
    let serviceMicroseconds: Double
    let databaseMicroseconds: Double

    private static let seconds = 4.0

    init(
        _ kind: SenderKind, round: Int, on ground: SenderStage, _ service: Running, _ database: PostgresConnection
    ) async throws {
        // More than a machine of two cores takes in that time.
        let count = 60_000 / kind.users
        var requests = try kind.requests(count, first: round * 1_000_000, on: ground)
        for place in requests.indices {
            if place % 20 == 13 { requests[place] = SenderRequests.forged(requests[place], header: kind.proofHeader) }
            if place % 20 == 7, place >= 100 { requests[place] = requests[place - 100] }
        }
        let before = try await Self.users(database)
        let used = (service: service.processorSeconds(), database: try await Self.sessions(database))
        let load = try HookLoad(requests, port: service.port, connections: 64, seconds: Self.seconds)
        guard load.others.keys.allSatisfy({ [200, 401].contains($0) }), load.others[401, default: 0] > 0 else {
            throw BenchError.refused("some of \(kind): \(load.others)")
        }
        let users = Double(try await Self.users(database) - before)
        self.usersPerSecond = users / load.seconds
        self.serviceMicroseconds = (service.processorSeconds() - used.service) / users * 1e6
        self.databaseMicroseconds = (try await Self.sessions(database) - used.database) / users * 1e6
        self.p50 = load.latencies.percentile(0.5)
        self.p99 = load.latencies.percentile(0.99)
    }

    private static func users(_ database: PostgresConnection) async throws -> Int {
        try await database.query("select count(*) from dialtone.users").first?.decode(Int.self) ?? 0
    }

    /// Returns the processor seconds of all sessions but this one.
    private static func sessions(_ database: PostgresConnection) async throws -> Double {
        try await database.query(
            "select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        ).map { Running.processorSeconds(of: try $0.decode(Int32.self)) }.reduce(0, +)
    }
}
