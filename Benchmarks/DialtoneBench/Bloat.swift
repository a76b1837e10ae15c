// SPDX-License-Identifier: Apache-2.0
// A million finished users, and a snapshot held open for a minute: whether finishing jobs slows down as dead rows pile
// up.

import Foundation
import Postgres

struct Bloat: Encodable {
    var finishedUsers: Int
    /// Jobs finished per second, by the ten-second windows the snapshot was open.
    var windows: [Double]
    /// The last window over the first.
    var endOverStart: Double
    /// The same without a snapshot: what growing tables and checkpoints cost by themselves.
    var controlWindows: [Double]
    var controlEndOverStart: Double

    private static let finished = 1_000_000
    private static let windowCount = 6

    static func measure(on bed: Bed) async throws -> Bloat {
        let control = try await Self.windows(on: bed, isHeld: false)
        let held = try await Self.windows(on: bed, isHeld: true)
        return Bloat(
            finishedUsers: Self.finished, windows: held,
            endOverStart: ((held.last ?? 0) / (held.first ?? 1)).rounded2, controlWindows: control,
            controlEndOverStart: ((control.last ?? 0) / (control.first ?? 1)).rounded2)
    }

    private static func windows(on bed: Bed, isHeld: Bool) async throws -> [Double] {
        let simulator = try await bed.stage("bench_bloat").start(["simulator", "--listen", "127.0.0.1:0"])
        defer { simulator.stop() }
        let stage = try await bed.stage("bench_bloat", provider: simulator.ready["base_url"] ?? "")
        let database = try await stage.connect()
        try await database.script(
            """
            insert into dialtone.users (tenant_id, user_id, wanted, generation, status, received_at, ready_at)
            select 'acme', 'old-' || n, 'live', 1, 'ready', now(), now() from generate_series(1, \(Self.finished)) n;
            insert into dialtone.credentials (tenant_id, user_id, generation, provider_id, name, tag, status,
                                              sealed_username, sealed_password, username_index)
            select 'acme', 'old-' || n, 1, 'old-' || n, 'old-' || n, 'acme.old', 'active', '\\x00', '\\x00',
                   decode(repeat('00', 16), 'hex')
            from generate_series(1, \(Self.finished)) n;
            """)
        try await JobRate.fill(stage, jobs: 400_000)
        // As tables stand that have been in use: not written this minute, so that nothing is flushed while we measure.
        try await database.script("vacuum (analyze) dialtone.users, dialtone.credentials, dialtone.jobs")
        try await database.script("checkpoint")
        let holder = try await stage.connect()
        if isHeld {
            try await holder.script("begin isolation level repeatable read; select count(*) from dialtone.tenants")
        }
        let service = try await stage.start(["serve", "--roles", "worker"])
        defer { service.stop() }
        // Past the start, when plans and pools are made.
        while try await Self.open(database) > 398_000 { try await Task.sleep(for: .milliseconds(50)) }
        var windows: [Double] = []
        for _ in 0..<Self.windowCount {
            let (start, before) = (ContinuousClock.now, try await Self.open(database))
            try await Task.sleep(for: .seconds(10))
            let (end, after) = (ContinuousClock.now, try await Self.open(database))
            windows.append((Double(before - after) / ((end - start) / .seconds(1))).rounded())
        }
        await holder.close()
        await database.close()
        return windows
    }

    private static func open(_ database: PostgresConnection) async throws -> Int64 {
        let row = try await database.query("select count(*) from dialtone.jobs").first
        return try row?.decode(Int64.self) ?? 0
    }
}
