// SPDX-License-Identifier: Apache-2.0
// PostgreSQL's own rate with the same durable rows, one sign-up per commit: the floor under every claim.

import Foundation
import Postgres

struct RowLimit: Encodable {
    /// Rows per second at 32 clients: the median of the runs, and each run.
    var perSecond: Double
    var runs: [Double]

    static func measure(on bed: Bed) async throws -> RowLimit {
        let stage = try await bed.stage("bench_rows")
        let script = bed.folder.appendingPathComponent("one-sign-up.sql")
        try """
        \\set number random(1, 1000000000000)
        with event as (
            insert into dialtone.events (event_id, source_id, delivery_id, tenant_id, user_id, wanted, outcome,
                                         occurred_at, received_at)
            select gen_random_uuid(), source_id, 'msg_' || :number, 'acme', 'user-' || :number, 'live', 'accepted',
                   now(), now()
            from dialtone.sources limit 1
            on conflict do nothing returning tenant_id, user_id),
        owner as (
            insert into dialtone.users (tenant_id, user_id, wanted, generation, status, received_at)
            select tenant_id, user_id, 'live', 1, 'pending', now() from event on conflict do nothing
            returning tenant_id, user_id)
        insert into dialtone.jobs (id, tenant_id, user_id, generation, place, run_at, enqueued_at)
        select gen_random_uuid(), tenant_id, user_id, 1, extract(epoch from now())::bigint, now(), now() from owner
        on conflict do nothing;
        """.write(to: script, atomically: true, encoding: .utf8)
        let runs = try (0..<3).map { _ in try Self.pgbench(script, stage) }
        return RowLimit(perSecond: runs.median, runs: runs)
    }

    private static func pgbench(_ script: URL, _ stage: Stage) throws -> Double {
        // The run ends by count, not by time: a child of a task's thread has SIGALRM blocked, so -T would never end.
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "pgbench", "-n", "-M", "prepared", "-c", "32", "-j", "1", "-t", "500", "-f", script.path,
            stage.environment["DATABASE_URL"] ?? "",
        ]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("tps = ") }),
            let rate = Double(line.dropFirst(6).prefix { $0.isNumber || $0 == "." })
        else { throw BenchError.refused("pgbench gave no rate") }
        return rate.rounded()
    }
}
