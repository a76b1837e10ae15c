// SPDX-License-Identifier: Apache-2.0
// A million finished users and a snapshot held open for a minute: whether finishing jobs slows down as dead rows pile
// up.

import Foundation
import Postgres

struct Bloat: Encodable {
    struct Run: Encodable {
        /// Jobs finished per second, by ten-second windows.
        var windows: [Double] = []
        /// The last window over the first.
        var endOverStart = 0.0
        /// Processor time of PostgreSQL's sessions over that of worker and simulator, by the same windows. Their work
        /// per job never changes, so this is the cost of a job to the database, also on a machine that slows down
        /// meanwhile.
        var databaseCosts: [Double] = []
        /// The last window's over the first's.
        var costGrowth = 0.0
    }

    var finishedUsers: Int
    var held: Run
    /// The same without a snapshot: the cost of growing tables and of checkpoints alone.
    var control: Run

    private static let finished = 1_000_000
    private static let windowCount = 6

    static func measure(on bed: Bed) async throws -> Bloat {
        let control = try await Self.run(on: bed, isHeld: false)
        return Bloat(finishedUsers: Self.finished, held: try await Self.run(on: bed, isHeld: true), control: control)
    }

    private static func run(on bed: Bed, isHeld: Bool) async throws -> Run {
        let simulator = try await bed.stage("bench_bloat").start(["simulator", "--listen", "127.0.0.1:0"])
        defer { simulator.stop() }
        let stage = try await bed.stage("bench_bloat", provider: simulator.ready["base_url"] ?? "")
        let database = try await stage.connect()
        try await Self.fill(stage, database)
        let holder = try await stage.connect()
        if isHeld {
            try await holder.script("begin isolation level repeatable read; select count(*) from dialtone.tenants")
        }
        let service = try await stage.start(["serve", "--roles", "worker"])
        defer { service.stop() }
        // The start is left out, because plans and pools are made then.
        while try await Self.open(database) > 398_000 { try await Task.sleep(for: .milliseconds(50)) }
        var run = Run()
        for _ in 0..<Self.windowCount { try await Self.addWindow(to: &run, database, service, simulator) }
        await holder.close()
        await database.close()
        run.endOverStart = ((run.windows.last ?? 0) / (run.windows.first ?? 1)).rounded2
        run.costGrowth = ((run.databaseCosts.last ?? 0) / (run.databaseCosts.first ?? 1)).rounded2
        return run
    }

    /// Measures the next ten seconds.
    private static func addWindow(
        to run: inout Run, _ database: PostgresConnection, _ service: Running, _ simulator: Running
    ) async throws {
        let (start, before) = (ContinuousClock.now, try await Self.open(database))
        let (sessions, others) = try await Self.used(database, service, simulator)
        try await Task.sleep(for: .seconds(10))
        let (end, after) = (ContinuousClock.now, try await Self.open(database))
        let (sessionsThen, othersThen) = try await Self.used(database, service, simulator)
        run.windows.append((Double(before - after) / ((end - start) / .seconds(1))).rounded())
        run.databaseCosts.append(((sessionsThen - sessions) / (othersThen - others)).rounded2)
    }

    /// Writes the finished users and 400,000 jobs of others.
    private static func fill(_ stage: Stage, _ database: PostgresConnection) async throws {
        try await database.script(
            """
            insert into dialtone.users (tenant_id, user_id, wanted, generation, status, received_at, ready_at)
            select 'acme', 'old-' || number, 'live', 1, 'ready', now(), now()
            from generate_series(1, \(Self.finished)) number;
            insert into dialtone.credentials (tenant_id, user_id, generation, provider_id, name, tag, status,
                                              sealed_username, sealed_password, username_index)
            select 'acme', 'old-' || number, 1, 'old-' || number, 'old-' || number, 'acme.old', 'active', '\\x00', '\\x00',
                   decode(repeat('00', 16), 'hex')
            from generate_series(1, \(Self.finished)) number;
            """)
        try await JobRate.fill(stage, jobs: 400_000)
        // Tables that have been in use look like this. Nothing is left to be flushed while we measure.
        try await database.script("vacuum (analyze) dialtone.users, dialtone.credentials, dialtone.jobs")
        try await database.script("checkpoint")
    }

    /// Returns how many jobs are left.
    private static func open(_ database: PostgresConnection) async throws -> Int64 {
        let row = try await database.query("select count(*) from dialtone.jobs").first
        return try row?.decode(Int64.self) ?? 0
    }

    /// Returns the processor seconds so far: of the service's sessions, and of service and simulator.
    private static func used(
        _ database: PostgresConnection, _ service: Running, _ simulator: Running
    ) async throws -> (sessions: Double, others: Double) {
        let pids = try await database.query(
            "select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        ).map { try $0.decode(Int32.self) }
        return (
            pids.reduce(0) { $0 + Running.processorSeconds(of: $1) },
            service.processorSeconds() + simulator.processorSeconds()
        )
    }
}
